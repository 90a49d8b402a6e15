import type { BreakpointState } from '../domain/breakpoint.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Outcome } from '../domain/execution.ts';
import type { RecoveryPolicy } from '../domain/interruption.ts';
import type { RetryExhausted, RetryPolicy, TimerPolicies } from '../domain/task.ts';

export interface ExecutionInput {
  readonly executionId: string;
  /** Wall clock now, milliseconds since the epoch, as are all instants here. */
  readonly now: number;
  readonly startAt?: number;
  /** It waits for what it depends on first. */
  readonly isBlocked?: true;
  readonly totalMs: number;
  /** The total timeout counts from the first attempt on; absent means from the admission on. */
  readonly totalFrom?: 'attempt';
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly graceMs: number;
  readonly retry: RetryPolicy;
  readonly recovery: RecoveryPolicy;
  /** Absent means the defaults. */
  readonly timers?: TimerPolicies;
}

/** Why a running attempt is being stopped, or why the execution ended without one. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What an execution was asked for with; it never changes. */
export interface ExecutionOptions {
  readonly totalMs: number;
  readonly totalFrom: 'attempt' | null;
  readonly queueMs: number | null;
  readonly attemptMs: number | null;
  readonly graceMs: number;
  /** From the admission to the start time. */
  readonly startMs: number | null;
  readonly retry: RetryPolicy;
  readonly recovery: RecoveryPolicy;
  readonly timers: TimerPolicies | null;
}

/**
 * What an execution's chart knows. XState copies it with `Object.assign` in each change, which takes V8 a twentieth of
 * the time as long as there are fewer than twenty fields (`node bench/context.ts`); so what never changes is one.
 */
export interface ExecutionContext {
  readonly executionId: string;
  readonly options: ExecutionOptions;
  readonly attempt: number;
  /** `latestInstant` as long as it does not count. */
  readonly totalDeadline: number;
  /** Attempts that were no tries: lost, or stopped to be held. */
  readonly lost: number;
  /** Those of them that were lost. */
  readonly recoveries: number;
  readonly startAt: number | null;
  readonly queueDeadline: number | null;
  readonly attemptDeadline: number | null;
  readonly retryAt: number | null;
  readonly stopDeadline: number | null;
  readonly stoppingSince: number | null;
  /** Since when the timers stand still; the deadlines above are as they were then. */
  readonly heldSince: number | null;
  /** Since when it waits for what it depends on; null where it does not. */
  readonly blockedSince: number | null;
  /** The attempt that stands still while the execution is suspended; null where none does. */
  readonly pausedAttempt: number | null;
  readonly cause: Cause | null;
  readonly outcome: Outcome | null;
}

/** How an attempt ended, as far as the chart cares. */
export type AttemptEnd =
  | { readonly kind: 'completed'; readonly exitCode?: number; readonly output?: string }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly exitCode?: number;
      readonly output?: string;
    }
  | { readonly kind: 'stopped'; readonly rung: string };

/** `at` is the wall clock when it happened; `random` (0 to 1) spreads retries; `by` is the principal that asked. */
export type ExecutionEvent =
  | { readonly type: 'dispatch'; readonly at: number }
  | { readonly type: 'alarm'; readonly at: number }
  /** `overBudget` is absent, or says what becomes of one that the budget of its task does not let try again. */
  | {
      readonly type: 'attemptEnded';
      readonly at: number;
      readonly end: AttemptEnd;
      readonly random: number;
      readonly overBudget?: RetryExhausted;
    }
  /** What it depends on has ended; `failed` is why it cannot follow that. */
  | { readonly type: 'unblocked'; readonly at: number; readonly failed?: Cause }
  /** Its task's cache has a result for it. */
  | {
      readonly type: 'cached';
      readonly at: number;
      readonly outcome: Extract<Outcome, { status: 'completed' }>;
    }
  | { readonly type: 'limit'; readonly at: number; readonly cause: Cause }
  | { readonly type: 'cancel'; readonly at: number; readonly reason: string; readonly by?: string }
  /** To be held; an attempt that runs is stopped for it and run anew. */
  | {
      readonly type: 'suspend';
      readonly at: number;
      readonly byBreakpoint?: boolean;
      readonly passes?: BreakpointState;
      readonly by?: string;
    }
  /** The running attempt has been paused. */
  | { readonly type: 'paused'; readonly at: number; readonly by?: string }
  /** To go on; an attempt that was paused runs again. */
  | { readonly type: 'resume'; readonly at: number; readonly by?: string }
  /** The attempt ran in an earlier run of the node, and this one follows it now. */
  | { readonly type: 'reattached'; readonly at: number }
  /**
   * The attempt ran in an earlier run of the node, or on another one, and cannot be followed any more. Planned: the
   * node was told to stop, or the execution was moved, which is no sign that it takes nodes down.
   */
  | { readonly type: 'lost'; readonly at: number; readonly message: string; readonly planned?: boolean }
  /** It has come with a snapshot, whose timers stopped at `takenAt`. */
  | {
      readonly type: 'restored';
      readonly at: number;
      readonly takenAt: number;
      readonly hold: boolean;
      readonly by?: string;
    }
  /** It goes on elsewhere. */
  | { readonly type: 'detach'; readonly at: number; readonly by?: string };
