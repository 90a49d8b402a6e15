/** The states before which an execution can be stopped. */
export const breakpointStates = ['pending.queued', 'running.attempting', 'running.backingOff'] as const;
export type BreakpointState = (typeof breakpointStates)[number];

/** Holds what comes to a transition. */
export interface Breakpoint {
  readonly breakpointId: string;
  /** The executions of a task, or a single one. */
  readonly of:
    | { readonly kind: 'task'; readonly taskId: string; readonly name: string }
    | { readonly kind: 'execution'; readonly executionId: string };
  readonly before: BreakpointState;
  /** Gone once it has held one execution. */
  readonly once: boolean;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  /** Executions that it has held, each as often as it has. */
  readonly hits: number;
}

/** The breakpoints of a node. They live as long as it does. */
export interface Breakpoints {
  /** Throws a RequestError, resource_exhausted, where there are too many. */
  set(wanted: Pick<Breakpoint, 'of' | 'before' | 'once'>): Breakpoint;
  /** Oldest first. */
  list(): readonly Breakpoint[];
  /** False where there is none. */
  remove(breakpointId: string): boolean;
}

/** The reason of a hold in the log that a breakpoint asked for. */
export const breakpointReason = 'BREAKPOINT';
