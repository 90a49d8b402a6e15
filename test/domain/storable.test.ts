import { expect, test } from 'vitest';
import { exitCodeOf, storableOutcome, storableUse } from '../../src/domain/storable.ts';

test.for([
  [0, 0],
  [255, 255],
  [-1, -1],
  [2 ** 31 - 1, 2 ** 31 - 1],
  [-(2 ** 31), -(2 ** 31)],
  [4_294_967_295, 255],
  [2 ** 31, 0],
  [-(2 ** 40) - 1, 255],
  [1.5, 1],
  [1e300, 0],
  [Number.NaN, 255],
  [Number.POSITIVE_INFINITY, 255],
])('the exit code %d is stored as %d', ([value = 0, stored = 0]) => {
  expect(exitCodeOf(value)).toBe(stored);
});

test('an end is stored with texts that are Unicode and bounded, and with numbers that can be counts', () => {
  const stored = storableOutcome({
    status: 'failed',
    code: 'FUNCTION_ERROR',
    message: `\ud800${'x'.repeat(100_000)}`,
    exitCode: 4_294_967_295,
    output: '"\udfff"',
    termination: { rung: 'terminate', tookMs: Number.NaN },
  });
  expect(stored).toMatchObject({
    exitCode: 255,
    output: '"\ufffd"',
    termination: { rung: 'terminate', tookMs: 0 },
  });
  expect(stored).toMatchObject({ message: expect.stringMatching(/^\ufffdx{16383}$/) });
  expect(storableUse({ cpuTimeUs: -1, peakMemoryBytes: Number.POSITIVE_INFINITY })).toEqual({
    cpuTimeUs: 0,
    peakMemoryBytes: Number.MAX_SAFE_INTEGER,
  });
  expect(storableUse({ cpuTimeUs: Number.NaN })).toEqual({ cpuTimeUs: 0 });
  expect(storableUse({})).toEqual({});
});

test('an end that says little is stored as it is', () => {
  expect(storableOutcome({ status: 'completed' })).toEqual({ status: 'completed' });
  const cancelled = { status: 'cancelled', code: 'CANCELLED', message: 'cancelled' } as const;
  expect(storableOutcome(cancelled)).toEqual(cancelled);
});
