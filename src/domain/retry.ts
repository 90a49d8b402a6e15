import { type ErrorCode, errorCodes } from './errors.ts';
import type { RetryPolicy } from './task.ts';

/** Whether a failure with `code` is one that the policy tries again, attempts left or not. */
export function isRetryable(policy: RetryPolicy, code: ErrorCode): boolean {
  return policy.on.length > 0 ? policy.on.includes(code) : errorCodes[code].retryable;
}

/**
 * Milliseconds to wait after attempt number `attempt` failed: exponential from `initialMs`, capped at `maxMs`,
 * of which the share `jitter` is scaled by `random` (0 to 1).
 */
export function backoffMs(policy: RetryPolicy, attempt: number, random: number): number {
  // A high power is infinity, and nothing times that is not a number.
  const full =
    policy.initialMs === 0 ? 0 : Math.min(policy.maxMs, policy.initialMs * policy.factor ** (attempt - 1));
  return Math.round(full * (1 - policy.jitter * random));
}
