/**
 * Where executions are to be held before they go on, so that somebody can look at them. They are kept in memory and
 * end with the node, or are those of a cluster (`shared-breakpoints.ts`); what they hold is held by the chart's own
 * `suspend`, which is in the log.
 *
 * - An execution that was held and goes on is let through that same transition once, on whatever node: its record says so.
 * - What a resume or a restore leads to holds nobody: somebody asked for it.
 */
import type { Breakpoint, Breakpoints } from '../../domain/breakpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { IdSource } from '../ids.ts';

/** Each is looked at with every transition. */
const mostBreakpoints = 100;

type Kept = { -readonly [Key in keyof Breakpoint]: Breakpoint[Key] };

export class BreakpointTable implements Breakpoints {
  readonly #clock: Clock;
  readonly #ids: IdSource;
  readonly #all = new Map<string, Kept>();
  #over: (breakpointId: string) => void = () => {};

  constructor(clock: Clock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  async set({ of, before, once }: Pick<Breakpoint, 'of' | 'before' | 'once'>): Promise<Breakpoint> {
    if (this.#all.size >= mostBreakpoints) {
      throw new RequestError(
        'resource_exhausted',
        `there are ${mostBreakpoints} breakpoints; delete one first`,
        {
          reason: 'TOO_MANY_BREAKPOINTS',
          quota: 'breakpoints',
        },
      );
    }
    const breakpointId = this.#ids('break_');
    const kept = { breakpointId, of, before, once, createdAt: Math.round(this.#clock.now()), hits: 0 };
    this.#all.set(breakpointId, kept);
    return { ...kept };
  }

  list(): readonly Breakpoint[] {
    return [...this.#all.values()].map((each) => ({ ...each }));
  }

  async remove(breakpointId: string): Promise<boolean> {
    return this.drop(breakpointId);
  }

  /** One that another node of the cluster has set. */
  put(breakpoint: Breakpoint): void {
    if (!this.#all.has(breakpoint.breakpointId)) this.#all.set(breakpoint.breakpointId, { ...breakpoint });
  }

  drop(breakpointId: string): boolean {
    return this.#all.delete(breakpointId);
  }

  /** Hears of each that is gone by itself: it was for one hold, or for an execution that has ended. */
  onOver(listener: (breakpointId: string) => void): void {
    this.#over = listener;
  }

  /** Whether an execution is to be held instead of entering `state`, or as soon as it has. Counts it as held then. */
  holds(
    { executionId, taskId, passes }: Pick<ExecutionRecord, 'executionId' | 'taskId' | 'passes'>,
    state: string,
  ): boolean {
    if (this.#all.size === 0 || passes === state) return false;
    const met = [...this.#all.values()].find(
      ({ of, before }) =>
        before === state && (of.kind === 'task' ? of.taskId === taskId : of.executionId === executionId),
    );
    if (met === undefined) return false;
    met.hits += 1;
    if (met.once) this.#end(met.breakpointId);
    return true;
  }

  /** The execution has ended: nothing will hold it any more. */
  forget(executionId: string): void {
    for (const { breakpointId, of } of this.#all.values()) {
      if (of.kind === 'execution' && of.executionId === executionId) this.#end(breakpointId);
    }
  }

  #end(breakpointId: string): void {
    this.#all.delete(breakpointId);
    this.#over(breakpointId);
  }
}
