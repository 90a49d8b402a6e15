import type { Activity } from '../../../domain/activity.ts';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import { bucketOf, Durations, type KeptDurations, keptDurations, noDurations } from './durations.ts';

/** Steps that are kept: ten minutes. */
export const keptSteps = 120;

const columns = ['running', 'waiting', 'completed', 'failed', 'timedOut', 'cancelled'] as const;
type Column = (typeof columns)[number];
type Ended = Exclude<ExecutionStatus, 'pending' | 'running'>;

/** What went on with one task. Steps that are not told of are those in which nothing did. */
export class Series {
  readonly tenant: string;
  /** Empty for what is of no task that is told by itself. */
  readonly task: string;
  readonly #columns = Object.fromEntries(
    columns.map((name) => [name, new Uint32Array(keptSteps)]),
  ) as Readonly<Record<Column, Uint32Array>>;
  readonly #durations: KeptDurations[] = Array.from({ length: keptSteps }, () => noDurations);
  /** Of the step that goes on. */
  readonly #now: Record<Ended, number> = { completed: 0, failed: 0, timedOut: 0, cancelled: 0 };
  readonly #took = new Map<number, number>();
  /** The last step in which it had anything. */
  #lastBusy: number;

  constructor(tenant: string, task: string, step: number) {
    this.tenant = tenant;
    this.task = task;
    this.#lastBusy = step;
  }

  ended(status: Ended, ranMs: number): void {
    this.#now[status] += 1;
    const bucket = bucketOf(ranMs);
    this.#took.set(bucket, (this.#took.get(bucket) ?? 0) + 1);
  }

  /** The step is over, with so many that run and wait. */
  close(step: number, running: number, waiting: number): void {
    const at = step % keptSteps;
    const values = { running, waiting, ...this.#now };
    for (const name of columns) this.#columns[name][at] = values[name];
    this.#durations[at] = keptDurations(this.#took);
    if (running + waiting + this.#took.size > 0) this.#lastBusy = step;
    this.#took.clear();
    for (const status of Object.keys(this.#now) as Ended[]) this.#now[status] = 0;
  }

  /** Nothing of it is in any step that is kept. */
  isForgotten(step: number): boolean {
    return step - this.#lastBusy >= keptSteps && this.#took.size === 0;
  }

  value(name: Column, step: number): number {
    return this.#columns[name][step % keptSteps] ?? 0;
  }

  durations(step: number): KeptDurations {
    return this.#durations[step % keptSteps] ?? noDurations;
  }

  /** All that ended in the steps that are kept, and what runs and waits: how much it is worth to be told. */
  weight(last: number): number {
    let sum = this.value('running', last) + this.value('waiting', last);
    for (const name of columns.slice(2)) for (const count of this.#columns[name]) sum += count;
    return sum;
  }
}

/** From one step on, and before another. */
export function activityOf(series: readonly Series[], from: number, end: number): Activity {
  const steps = Array.from({ length: Math.max(0, end - from) }, (_, at) => from + at);
  const sums = Object.fromEntries(
    columns.map((name) => [
      name,
      steps.map((step) => series.reduce((sum, each) => sum + each.value(name, step), 0)),
    ]),
  ) as Record<Column, number[]>;
  const quantiles = steps.map((step) => {
    const all = new Durations();
    for (const each of series) all.add(each.durations(step));
    return [all.quantile(0.5), all.quantile(0.99)] as const;
  });
  return { ...sums, p50Ms: quantiles.map(([p50]) => p50), p99Ms: quantiles.map(([, p99]) => p99) };
}
