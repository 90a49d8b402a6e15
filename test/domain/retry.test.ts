import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ErrorCode, errorCodes, originOf } from '../../src/domain/errors.ts';
import { backoffMs, isRetryable } from '../../src/domain/retry.ts';
import { noRetry } from '../support/samples.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

test('delays grow by the factor from the initial one, up to the longest', () => {
  const policy = { ...noRetry, initialMs: 200, factor: 2, maxMs: 1000 };
  expect([1, 2, 3, 4, 5].map((attempt) => backoffMs(policy, attempt, 0))).toEqual([
    200, 400, 800, 1000, 1000,
  ]);
});

test('the jitter is the share of a delay that chance can take away', () => {
  const policy = { ...noRetry, initialMs: 1000, jitter: 0.25 };
  expect(backoffMs(policy, 1, 0)).toBe(1000);
  expect(backoffMs(policy, 1, 0.5)).toBe(875);
  expect(backoffMs(policy, 1, 1)).toBe(750);
  expect(backoffMs({ ...policy, jitter: 1 }, 1, 1)).toBe(0);
});

test('whatever the policy and the attempt, a delay is a whole number from nothing to the longest', () => {
  const policies = fc.record({
    initialMs: fc.integer({ min: 0, max: 100_000 }),
    factor: fc.double({ min: 1, max: 100, noNaN: true }),
    maxMs: fc.integer({ min: 0, max: 1_000_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const random = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(policies, fc.integer({ min: 1, max: 1000 }), random, (policy, attempt, r) => {
      const delay = backoffMs({ ...noRetry, ...policy }, attempt, r);
      expect(Number.isSafeInteger(delay)).toBe(true);
      expect(delay).toBeGreaterThanOrEqual(0);
      expect(delay).toBeLessThanOrEqual(policy.maxMs);
    }),
  );
});

test('a policy that names codes retries those; one that names none retries those that may pass', () => {
  for (const code of codes) {
    expect(isRetryable({ ...noRetry, on: [code] }, code)).toBe(true);
    expect(isRetryable({ ...noRetry, on: codes.filter((other) => other !== code) }, code)).toBe(false);
  }
  const byDefault = codes.filter((code) => isRetryable(noRetry, code));
  expect(byDefault.sort()).toEqual([
    'ATTEMPT_TIMEOUT',
    'FUNCTION_ERROR',
    'FUNCTION_EXIT',
    'INSTANCE_LOST',
    'RUNTIME_UNAVAILABLE',
    'SIGNALED',
    'START_FAILED',
    'TRAP',
  ]);
});

test('every code has the origin that the contract gives it', () => {
  const by = (origin: string): string[] => codes.filter((code) => originOf(code) === origin);
  expect(by('user')).toEqual(['FUNCTION_ERROR', 'FUNCTION_EXIT', 'TRAP', 'SIGNALED']);
  expect(by('policy')).toEqual([
    'CANCELLED',
    'QUEUE_TIMEOUT',
    'ATTEMPT_TIMEOUT',
    'TOTAL_TIMEOUT',
    'MEMORY_LIMIT',
    'CPU_LIMIT',
    'OUTPUT_LIMIT',
    'RESULT_TOO_LARGE',
    'DEPENDENCY_FAILED',
  ]);
  expect(by('platform')).toEqual([
    'INTERRUPTED',
    'RUNTIME_UNAVAILABLE',
    'START_FAILED',
    'ARTIFACT_UNAVAILABLE',
    'INSTANCE_LOST',
    'KILL_UNCONFIRMED',
    'SNAPSHOT_INCOMPATIBLE',
    'MOVED',
    'INTERNAL',
  ]);
});
