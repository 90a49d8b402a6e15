import { Counter, Gauge, Histogram, type OpenMetricsContentType, type Registry } from 'prom-client';
import type { InstanceState, Instances } from '../../domain/instance.ts';
import type { QueueView } from '../../domain/queue-view.ts';
import type { RuntimeKind } from '../../domain/task.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { startSeconds } from './buckets.ts';

export interface NodeSource {
  readonly version: string;
  readonly slots: number;
  readonly runtimes: readonly RuntimeKind[];
  readonly instances: Instances;
  /** The node chart's state. */
  state(): string;
  /** It takes nothing new from callers. */
  isCordoned(): boolean;
  /** Attempts that have a slot, executions that have not begun, and those in memory. */
  load(): { readonly running: number; readonly pending: number; readonly live: number };
  /** Of the whole node. */
  queue(): QueueView;
}

const states: readonly InstanceState[] = ['starting', 'idle', 'busy', 'stopping', 'broken'];
const gates = ['slots', 'concurrency', 'rate', 'resources', 'quota', 'quarantine', 'other'];

/** The node as it is when somebody looks, and how long its instances took to start. */
export class NodeMetrics {
  readonly #starts: Histogram<'runtime'>;

  constructor(registers: Registry<OpenMetricsContentType>[], source: NodeSource) {
    new Gauge({
      name: 'spear_build_info',
      help: 'Always 1; the version of the node.',
      ...{ labelNames: ['version'], registers },
    }).set({ version: source.version }, 1);
    new Gauge({
      name: 'spear_node_ready',
      help: '1 while the node serves, 0 while it starts, drains or stops.',
      registers,
      collect() {
        this.set(source.state() === 'serving' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'spear_node_cordoned',
      help: '1 while the node takes nothing new from callers.',
      registers,
      collect() {
        this.set(source.isCordoned() ? 1 : 0);
      },
    });
    new Gauge({ name: 'spear_slots', help: 'Attempts that may run at once.', registers }).set(source.slots);
    new Gauge({
      name: 'spear_attempts_running',
      help: 'Attempts that have a slot.',
      registers,
      collect() {
        this.set(source.load().running);
      },
    });
    new Gauge({
      name: 'spear_executions_pending',
      help: 'Executions that have not begun, wherever they wait.',
      registers,
      collect() {
        this.set(source.load().pending);
      },
    });
    new Gauge({
      name: 'spear_executions_live',
      help: 'Executions in memory.',
      registers,
      collect() {
        this.set(source.load().live);
      },
    });
    new Gauge({
      name: 'spear_executions_waiting',
      help: 'Executions that wait for a slot, by what holds them; slots where nothing else does.',
      ...{ labelNames: ['gate'], registers },
      collect() {
        for (const [gate, waiting] of waitingByGate(source.queue())) this.set({ gate }, waiting);
      },
    });
    new Gauge({
      name: 'spear_instances',
      help: 'Guest hosts, processes and containers, by their state.',
      ...{ labelNames: ['runtime', 'state'], registers },
      collect() {
        for (const runtime of source.runtimes) for (const state of states) this.set({ runtime, state }, 0);
        for (const { runtime, state } of source.instances.instances()) this.inc({ runtime, state });
      },
    });
    addWarm(registers, source.instances);
    this.#starts = new Histogram({
      name: 'spear_instance_start_seconds',
      help: 'How long instances took from the order until they could serve.',
      ...{ labelNames: ['runtime'], buckets: startSeconds, registers },
    });
  }

  started(runtime: RuntimeKind, ms: number): void {
    this.#starts.observe({ runtime }, ms / 1000);
  }
}

/** Pools are forgotten with their task's revision, and begin anew with the next. */
function addWarm(registers: Registry<OpenMetricsContentType>[], instances: Instances): void {
  const labels = new BoundedLabels();
  new Counter({
    name: 'spear_warm_starts_total',
    help: 'Executions of tasks with warm instances, by whether one was ready for them.',
    ...{ labelNames: ['task', 'found'], registers },
    collect() {
      this.reset();
      for (const { taskName, warmHits, coldStarts } of instances.pools()) {
        const { task } = labels.of('', taskName);
        this.inc({ task, found: 'warm' }, warmHits);
        this.inc({ task, found: 'cold' }, coldStarts);
      }
    },
  });
}

/** In lines that the view leaves out, nothing is known of gates: those count as `other`. */
function waitingByGate(view: QueueView): Map<string, number> {
  const waiting = new Map(gates.map((gate) => [gate, 0]));
  let told = 0;
  for (const { classes } of view.lines) {
    for (const each of classes) {
      // Whatever of a tenant's quota is used up.
      const kind = (each.gate?.kind ?? 'slots').replace(/^quota.+/, 'quota');
      const gate = waiting.has(kind) ? kind : 'other';
      waiting.set(gate, (waiting.get(gate) ?? 0) + each.waiting);
      told += each.waiting;
    }
  }
  waiting.set('other', (waiting.get('other') ?? 0) + Math.max(0, view.waiting - told));
  return waiting;
}
