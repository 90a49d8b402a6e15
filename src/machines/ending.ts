/** How an execution comes to its end: which event is a cause, what is tried again, and what the outcome says. */
import type { ErrorCode } from '../domain/errors.ts';
import type { Outcome, Termination } from '../domain/execution.ts';
import { mayRerun } from '../domain/interruption.ts';
import { backoffMs, isRetryable } from '../domain/retry.ts';
import type { RetryExhausted } from '../domain/task.ts';
import type { AttemptEnd, Cause, ExecutionContext, ExecutionEvent } from './execution-context.ts';
import { countingTotal } from './timers.ts';

/** Ends of the whole execution: no policy brings back what a caller, the node or a limit of the execution ended. */
const neverRetried: readonly ErrorCode[] = [
  'CANCELLED',
  'INTERRUPTED',
  'MOVED',
  'OUTPUT_LIMIT',
  'TOTAL_TIMEOUT',
  'QUEUE_TIMEOUT',
  'DEPENDENCY_FAILED',
];

/** How long the forced end that follows a task's grace may take to be confirmed, in milliseconds. */
export const confirmMs = 10_000;

/** Attempts that count against the retry policy. */
function tries({ attempt, lost }: ExecutionContext): number {
  return attempt - lost;
}

export function willRetry(context: ExecutionContext, code: ErrorCode): boolean {
  return (
    !neverRetried.includes(code) &&
    tries(context) < context.options.retry.maxAttempts &&
    isRetryable(context.options.retry, code)
  );
}

/** A retry whose delay would outlast the total deadline is not made: its error says more than a timeout would. */
export function retryTime(
  context: ExecutionContext,
  code: ErrorCode,
  at: number,
  random: number,
): number | null {
  if (!willRetry(context, code)) return null;
  const due = at + backoffMs(context.options.retry, tries(context), random);
  return due < context.totalDeadline ? due : null;
}

export function statusFor(code: ErrorCode): 'failed' | 'timedOut' | 'cancelled' {
  if (code === 'CANCELLED') return 'cancelled';
  return code === 'QUEUE_TIMEOUT' || code === 'ATTEMPT_TIMEOUT' || code === 'TOTAL_TIMEOUT'
    ? 'timedOut'
    : 'failed';
}

/** The cause an event brings, or null where it brings none. */
export function causeOf(context: ExecutionContext, event: ExecutionEvent): Cause | null {
  switch (event.type) {
    case 'cancel':
      return { code: 'CANCELLED', message: event.reason === '' ? 'cancelled' : `cancelled: ${event.reason}` };
    case 'detach':
      return { code: 'MOVED', message: 'moved: it goes on where its snapshot is restored' };
    case 'limit':
      return event.cause;
    case 'unblocked':
      return event.failed ?? null;
    case 'alarm':
      if (event.at >= countingTotal(context)) {
        return {
          code: 'TOTAL_TIMEOUT',
          message: `not over within the total timeout of ${context.options.totalMs} ms`,
        };
      }
      if (context.heldSince !== null) return null;
      if (context.queueDeadline !== null && event.at >= context.queueDeadline) {
        return {
          code: 'QUEUE_TIMEOUT',
          message: `not started within the queue timeout of ${context.options.queueMs} ms`,
        };
      }
      if (context.attemptDeadline !== null && event.at >= context.attemptDeadline) {
        return {
          code: 'ATTEMPT_TIMEOUT',
          message: `attempt ${context.attempt} was not over within the attempt timeout of ${context.options.attemptMs} ms`,
        };
      }
      return null;
    default:
      return null;
  }
}

/** Why a lost attempt is not followed by another. */
export function interruption(
  { attempt, options: { recovery }, recoveries }: ExecutionContext,
  message: string,
): Cause {
  const why = mayRerun(recovery.onInterrupt)
    ? `it was the ${ordinal(recoveries + 1)} to be lost, allowed are ${recovery.maxRecoveries}`
    : 'its task does not let it run again';
  return { code: 'INTERRUPTED', message: `attempt ${attempt} was lost, and ${why}: ${message}` };
}

function ordinal(count: number): string {
  const ending = ['th', 'st', 'nd', 'rd'][count % 10] ?? 'th';
  return `${count}${Math.floor(count / 10) % 10 === 1 ? 'th' : ending}`;
}

export function mayRecover({ options: { recovery }, recoveries }: ExecutionContext): boolean {
  return mayRerun(recovery.onInterrupt) && recoveries < recovery.maxRecoveries;
}

export function outcomeOf(cause: Cause, termination?: Termination, end?: AttemptEnd): Outcome {
  const exitCode = end !== undefined && end.kind !== 'stopped' ? end.exitCode : undefined;
  const output = end?.kind === 'failed' ? end.output : undefined;
  return {
    status: statusFor(cause.code),
    code: cause.code,
    message: cause.message,
    ...(exitCode !== undefined && { exitCode }),
    ...(output !== undefined && { output }),
    ...(termination !== undefined && { termination }),
  };
}

/** `overBudget` says that it would have been tried again, and that its task has no retries left. */
export function endOutcome(end: AttemptEnd, overBudget?: RetryExhausted): Outcome {
  switch (end.kind) {
    case 'completed':
      return {
        status: 'completed',
        ...(end.exitCode !== undefined && { exitCode: end.exitCode }),
        ...(end.output !== undefined && { output: end.output }),
      };
    case 'failed':
      if (overBudget === undefined) return outcomeOf(end, undefined, end);
      return outcomeOf(
        {
          ...end,
          message: `${end.message} (not tried again: the retries of its task are used up, retry.budget)`,
        },
        undefined,
        end,
      );
    case 'stopped':
      return outcomeOf({ code: 'INSTANCE_LOST', message: 'the instance was stopped from outside' });
  }
}
