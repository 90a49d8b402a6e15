/**
 * How much has gone on in the last ten minutes, by task, for sparklines: what ended is counted at the commit, what runs
 * and waits is looked at when a step ends.
 *
 * - All of it is bounded: the first 500 tasks of the last ten minutes by themselves, the others by tenant, and those of
 *   more tenants than a thousand in one. 4 KB each, and 8 bytes for each length of time that was seen in a step.
 * - Who sees some tasks only is told the sum of these alone.
 */
import type { Activities, ActivityView, NodeLoad } from '../../../domain/activity.ts';
import type { Clock, Timer } from '../../../domain/clock.ts';
import type { NewEvent } from '../../../domain/event.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import type { StoreObserver } from '../../../domain/node-feed.ts';
import { type Scope, seesTask, tenantOf } from '../../../domain/scope.ts';
import { activityOf, keptSteps, Series } from './series.ts';

export interface LoadOfTask {
  readonly tenant: string;
  /** Empty for those of which nobody knows the task without reading the store. */
  readonly task: string;
  readonly running: number;
  readonly waiting: number;
}

export interface ActivityOptions {
  readonly clock: Clock;
  /** What runs and waits now; a task may be there several times. */
  readonly load: () => Iterable<LoadOfTask>;
  /** Processor time of the process of the node since it began, in milliseconds, and its memory in bytes. */
  readonly usage: () => { readonly cpuMs: number; readonly memoryBytes: number };
}

const stepSeconds = 5;
const stepMs = stepSeconds * 1000;
const mostTasks = 500;
const mostSeries = mostTasks + 1000;
const mostTold = 100;

export class ActivityLog implements StoreObserver, Activities {
  readonly #options: ActivityOptions;
  readonly #series = new Map<string, Series>();
  readonly #processors = new Float64Array(keptSteps);
  readonly #memory = new Float64Array(keptSteps);
  /** Steps count from the epoch, so that those of a node that is started again are later ones. */
  readonly #firstStep: number;
  readonly #startedAt: number;
  /** The one that goes on. */
  #step: number;
  #until: number;
  #cpuMs: number;
  #timer: Timer | undefined;

  constructor(options: ActivityOptions) {
    this.#options = options;
    const { clock, usage } = options;
    this.#until = Math.round(clock.now());
    this.#firstStep = Math.floor(this.#until / stepMs);
    this.#step = this.#firstStep;
    this.#startedAt = clock.monotonic();
    this.#cpuMs = usage().cpuMs;
    this.#schedule();
  }

  committed(record: ExecutionRecord, events: readonly NewEvent[]): void {
    const last = events.at(-1);
    if (last?.kind !== 'result' || record.restoredAt !== undefined) return;
    const { status } = record;
    if (status === 'pending' || status === 'running') return;
    this.#of(tenantOf(record), record.taskName).ended(status, record.executionTimeMs);
  }

  view(scope: Scope, fromStep: number, byTask: boolean): ActivityView {
    const end = this.#step;
    const oldest = Math.max(this.#firstStep, end - keptSteps);
    const first = Math.min(Math.max(fromStep, oldest), end);
    const seen = [...this.#series.values()].filter((each) => isSeen(scope, each));
    const told = byTask ? seen.filter(({ task }) => task !== '') : [];
    told.sort((a, b) => b.weight(end - 1) - a.weight(end - 1));
    return {
      stepSeconds,
      firstStep: first,
      nextStep: end,
      until: this.#until,
      total: activityOf(seen, first, end),
      node: this.#nodeLoad(first, end),
      tasks: told.slice(0, mostTold).map((each) => {
        return { tenant: each.tenant, task: each.task, activity: activityOf([each], first, end) };
      }),
    };
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #nodeLoad(first: number, end: number): NodeLoad {
    const steps = Array.from({ length: end - first }, (_, at) => (first + at) % keptSteps);
    return {
      processors: steps.map((at) => this.#processors[at] ?? 0),
      memoryBytes: steps.map((at) => this.#memory[at] ?? 0),
    };
  }

  #of(tenant: string, task: string): Series {
    return (
      this.#series.get(keyOf(tenant, task)) ??
      this.#add(tenant, this.#series.size < mostTasks ? task : '', mostSeries) ??
      this.#add('', '', Number.POSITIVE_INFINITY)
    );
  }

  #add(tenant: string, task: string, most: number): Series;
  #add(tenant: string, task: string, most: number): Series | undefined {
    const key = keyOf(tenant, task);
    const known = this.#series.get(key);
    if (known !== undefined || this.#series.size >= most) return known;
    const made = new Series(tenant, task, this.#step);
    this.#series.set(key, made);
    return made;
  }

  #schedule(): void {
    const { clock } = this.#options;
    const over = this.#startedAt + (this.#step + 1 - this.#firstStep) * stepMs;
    this.#timer = clock.setTimer(Math.max(1, over - clock.monotonic()), () => this.#tick());
  }

  #tick(): void {
    const { clock, usage } = this.#options;
    const elapsed = Math.floor((clock.monotonic() - this.#startedAt) / stepMs);
    if (this.#firstStep + elapsed > this.#step) {
      const { cpuMs, memoryBytes } = usage();
      const from = this.#step;
      const until = this.#firstStep + elapsed;
      const processors = (cpuMs - this.#cpuMs) / ((until - from) * stepMs);
      this.#cpuMs = cpuMs;
      // Several at once where the node was busy, or the machine slept.
      for (let step = Math.max(from, until - keptSteps); step < until; step += 1) {
        this.#processors[step % keptSteps] = processors;
        this.#memory[step % keptSteps] = memoryBytes;
      }
      this.#closeSteps(Math.max(from, until - keptSteps), until);
      this.#step = until;
      this.#until = Math.round(clock.now());
    }
    this.#schedule();
  }

  #closeSteps(from: number, until: number): void {
    const loads = new Map<Series, { running: number; waiting: number }>();
    for (const { tenant, task, running, waiting } of this.#options.load()) {
      const series = this.#of(tenant, task);
      const sum = loads.get(series) ?? { running: 0, waiting: 0 };
      loads.set(series, { running: sum.running + running, waiting: sum.waiting + waiting });
    }
    for (const [key, series] of this.#series) {
      const { running, waiting } = loads.get(series) ?? { running: 0, waiting: 0 };
      for (let step = from; step < until; step += 1) series.close(step, running, waiting);
      if (series.isForgotten(until)) this.#series.delete(key);
    }
  }
}

function keyOf(tenant: string, task: string): string {
  return `${tenant}/${task}`;
}

/** What is of no task by itself is of all of a tenant. */
function isSeen(scope: Scope, { tenant, task }: Series): boolean {
  if (task === '')
    return scope.tasks === undefined && (scope.tenant === undefined || scope.tenant === tenant);
  return seesTask(scope, { tenant }, task);
}
