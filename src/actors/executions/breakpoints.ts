/**
 * Where executions are to be held before they go on, so that somebody can look at them. They are kept in memory and
 * end with the node; what they hold is held by the chart's own `suspend`, which is in the log.
 *
 * - An execution that was held and goes on is let through that same transition once.
 * - What a resume or a restore leads to holds nobody: somebody asked for it.
 */
import type { Breakpoint, BreakpointState, Breakpoints } from '../../domain/breakpoint.ts';
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
  /** Executions that were held, and the state that they go into next time. */
  readonly #passing = new Map<string, BreakpointState>();

  constructor(clock: Clock, ids: IdSource) {
    this.#clock = clock;
    this.#ids = ids;
  }

  set({ of, before, once }: Pick<Breakpoint, 'of' | 'before' | 'once'>): Breakpoint {
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

  remove(breakpointId: string): boolean {
    return this.#all.delete(breakpointId);
  }

  /** Whether an execution is to be held instead of entering `state`, or as soon as it has. Counts it as held then. */
  holds({ executionId, taskId }: Pick<ExecutionRecord, 'executionId' | 'taskId'>, state: string): boolean {
    if (this.#all.size === 0 && this.#passing.size === 0) return false;
    if (this.#passing.get(executionId) === state) {
      this.#passing.delete(executionId);
      return false;
    }
    const met = [...this.#all.values()].find(
      ({ of, before }) =>
        before === state && (of.kind === 'task' ? of.taskId === taskId : of.executionId === executionId),
    );
    if (met === undefined) return false;
    met.hits += 1;
    if (met.once) this.#all.delete(met.breakpointId);
    // It is in the others already when it is held, and a resume leads there without asking here.
    if (met.before === 'running.attempting') this.#passing.set(executionId, met.before);
    return true;
  }

  /** The execution has ended: nothing will hold it any more. */
  forget(executionId: string): void {
    this.#passing.delete(executionId);
    for (const { breakpointId, of } of this.#all.values()) {
      if (of.kind === 'execution' && of.executionId === executionId) this.#all.delete(breakpointId);
    }
  }
}
