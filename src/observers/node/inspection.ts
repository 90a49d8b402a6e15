/**
 * Tells inspectors of the machines that run, in the records of Stately's inspector: `@xstate.actor` for one that is
 * new to the inspector, `@xstate.event` and `@xstate.snapshot` for each transition.
 *
 * It is made of what was committed, and not of XState's own inspection: that runs inside of an actor's step, where an
 * error of whoever listens would keep the actor from going on. So an inspector hears of an execution after the fact,
 * and of nothing that could be undone. Nobody is told anything while nobody listens.
 */
import type { LogEvent, NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord, ExecutionStatus } from '../../domain/execution.ts';
import { LruMap } from '../../domain/lru-map.ts';
import type { MachineDescription } from '../../domain/machine.ts';
import type { StoreObserver } from '../../domain/node-feed.ts';
import { type Scope, sees } from '../../domain/scope.ts';
import { actorRecord, eventRecord, type Sender, snapshotRecord } from './inspection-records.ts';

export interface InspectionOptions {
  readonly nodeId: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly machines: readonly MachineDescription[];
  /** The node chart's state. */
  readonly nodeState: () => string;
  readonly store: {
    executions(filter: {
      readonly tenant?: string;
      readonly statuses: readonly ExecutionStatus[];
      readonly limit: number;
    }): Promise<ExecutionRecord[]>;
    outline(executionId: string): Promise<{ readonly transitions: readonly LogEvent[] }>;
  };
  /** See ObservedStore. */
  readonly observe: (observer: StoreObserver) => () => void;
  readonly failed: (error: unknown) => void;
}

/** See the server's Inspector. */
interface Listener {
  record(text: string): void;
  end(): void;
}

/** Executions whose context is known to one inspector; the ones it knew first are forgotten, and begin anew. */
const mostKnown = 2000;
/** Executions under way that are told of at the beginning. */
const mostAtFirst = 200;

type Context = Readonly<Record<string, unknown>>;

export class Inspection {
  readonly #options: InspectionOptions;
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #listeners = new Set<Listener>();

  constructor(options: InspectionOptions) {
    this.#options = options;
    this.#definitions = new Map(
      options.machines.map(({ name, definition }) => [name, JSON.stringify(definition)]),
    );
  }

  /** It hears of what is in the scope. */
  attach(listener: Listener, scope: Scope): () => void {
    const teller = new Teller(this.#options, this.#definitions, scope, (record) =>
      listener.record(JSON.stringify(record)),
    );
    const stop = this.#options.observe(teller);
    this.#listeners.add(listener);
    teller.begin().catch(this.#options.failed);
    return () => {
      stop();
      this.#listeners.delete(listener);
    };
  }

  /** Every inspector hears that the node goes away. */
  close(): void {
    for (const listener of [...this.#listeners]) listener.end();
  }
}

/** What one inspector is told. */
class Teller implements StoreObserver {
  readonly #options: InspectionOptions;
  readonly #definitions: ReadonlyMap<string, string>;
  readonly #scope: Scope;
  readonly #send: Sender;
  readonly #contexts = new LruMap<string, Context>(mostKnown);

  constructor(
    options: InspectionOptions,
    definitions: ReadonlyMap<string, string>,
    scope: Scope,
    send: Sender,
  ) {
    this.#options = options;
    this.#scope = scope;
    this.#definitions = definitions;
    this.#send = send;
  }

  /** The node, and what is under way on it. */
  async begin(): Promise<void> {
    const { nodeId, startedAt, nodeState, store } = this.#options;
    const value = nodeState();
    const definition = this.#definitions.get('node');
    const snapshot = { status: 'active', value, context: {} };
    this.#send(actorRecord(nodeId, { sessionId: nodeId, name: 'node', definition, snapshot }, startedAt));
    const { tenant } = this.#scope;
    const filter = { statuses: ['pending', 'running'] as const, limit: mostAtFirst };
    for (const record of await store.executions({ ...filter, ...(tenant !== undefined && { tenant }) })) {
      if (!sees(this.#scope, record)) continue;
      const { executionId } = record;
      const { transitions } = await store.outline(executionId);
      // What was committed meanwhile has made it known.
      if (this.#contexts.has(executionId)) continue;
      const context = transitions.reduce(patched, {});
      this.#introduce(record, { status: 'active', value: stateValue(record.state), context });
      this.#contexts.set(executionId, context);
    }
  }

  committed(record: ExecutionRecord, events: readonly NewEvent[], position: number): void {
    if (!sees(this.#scope, record)) return;
    for (const [index, next] of events.entries()) {
      const event = { ...next, position: position + index };
      if (event.kind === 'transition') this.#transition(record, event);
      else if (event.kind === 'result') this.#end(record, event);
    }
  }

  #transition(record: ExecutionRecord, event: LogEvent & { kind: 'transition' }): void {
    const { executionId } = record;
    const known = this.#contexts.peek(executionId);
    const context = patched(known ?? {}, event);
    const snapshot = { status: 'active', value: stateValue(event.to), context };
    if (known === undefined) this.#introduce(record, snapshot);
    this.#contexts.set(executionId, context);
    if (event.from === '') return;
    this.#happened(executionId, event, { type: event.eventType }, snapshot);
  }

  #end(record: ExecutionRecord, event: LogEvent): void {
    const { executionId, outcome } = record;
    const known = this.#contexts.peek(executionId);
    this.#contexts.delete(executionId);
    const snapshot = {
      status: 'done',
      value: stateValue(record.state),
      context: { ...known, outcome: outcome ?? null },
      output: outcome ?? null,
    };
    if (known === undefined) this.#introduce(record, snapshot);
    const code = outcome !== undefined && outcome.status !== 'completed' ? { code: outcome.code } : {};
    this.#happened(executionId, event, { type: 'result', ...code }, snapshot);
  }

  #introduce(record: ExecutionRecord, snapshot: object): void {
    const { executionId: sessionId, taskName } = record;
    const definition = this.#definitions.get('execution');
    const name = `${taskName} ${sessionId}`;
    this.#send(
      actorRecord(this.#options.nodeId, { sessionId, name, definition, snapshot }, record.createdAt),
    );
  }

  #happened(
    sessionId: string,
    { position, time }: LogEvent,
    event: { type: string },
    snapshot: object,
  ): void {
    const told = { nodeId: this.#options.nodeId, sessionId, position, time };
    this.#send(eventRecord(told, event));
    this.#send(snapshotRecord(told, event, snapshot));
  }
}

function patched(context: Context, event: LogEvent): Context {
  if (event.kind !== 'transition' || event.contextPatch === '') return context;
  return { ...context, ...(JSON.parse(event.contextPatch) as Context) };
}

/** A path as XState writes the value of a state. */
function stateValue(path: string): unknown {
  const dot = path.indexOf('.');
  return dot === -1 ? path : { [path.slice(0, dot)]: path.slice(dot + 1) };
}
