import type { ErrorCode } from '../domain/errors.ts';
import type { Outcome } from '../domain/execution.ts';
import type { RetryPolicy } from '../domain/task.ts';

export interface ExecutionInput {
  readonly executionId: string;
  /** Wall clock now, milliseconds since the epoch, as are all instants here. */
  readonly now: number;
  readonly startAt?: number;
  readonly totalMs: number;
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly graceMs: number;
  readonly retry: RetryPolicy;
}

/** Why a running attempt is being stopped, or why the execution ended without one. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ExecutionContext {
  readonly executionId: string;
  readonly attempt: number;
  readonly totalMs: number;
  readonly totalDeadline: number;
  readonly queueMs: number | null;
  readonly attemptMs: number | null;
  readonly graceMs: number;
  readonly retry: RetryPolicy;
  readonly startAt: number | null;
  readonly queueDeadline: number | null;
  readonly attemptDeadline: number | null;
  readonly retryAt: number | null;
  readonly stopDeadline: number | null;
  readonly stoppingSince: number | null;
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

/** `at` is the wall clock when it happened; `random` (0 to 1) spreads retries. */
export type ExecutionEvent =
  | { readonly type: 'dispatch'; readonly at: number }
  | { readonly type: 'alarm'; readonly at: number }
  | { readonly type: 'attemptEnded'; readonly at: number; readonly end: AttemptEnd; readonly random: number }
  | { readonly type: 'limit'; readonly at: number; readonly cause: Cause }
  | { readonly type: 'cancel'; readonly at: number; readonly reason: string }
  | { readonly type: 'interrupt'; readonly at: number; readonly message: string };
