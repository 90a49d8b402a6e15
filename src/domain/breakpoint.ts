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

/** The breakpoints of a node, which live as long as it does, or of a cluster, which hold on each of its nodes. */
export interface Breakpoints {
  /** Resolves when they hold. Rejects with a RequestError, resource_exhausted, where there are too many. */
  set(wanted: Pick<Breakpoint, 'of' | 'before' | 'once'>): Promise<Breakpoint>;
  /** Oldest first. */
  list(): readonly Breakpoint[];
  /** Resolves when it holds nothing any more; false where there is none. */
  remove(breakpointId: string): Promise<boolean>;
}

/** The reason of a hold in the log that a breakpoint asked for. */
export const breakpointReason = 'BREAKPOINT';
