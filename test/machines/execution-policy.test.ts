import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import {
  begin,
  cancel,
  detach,
  dispatch,
  expectEnd,
  limit,
  send,
  stopped,
  t0,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('a retry policy that names its codes', () => {
  const all = Object.keys(errorCodes) as ErrorCode[];
  const running = send(begin({ retry: { ...twoAttempts, on: all } }), dispatch(t0));

  test('retries exactly those', () => {
    const on = send(begin({ retry: { ...twoAttempts, on: ['TRAP'] } }), dispatch(t0));
    const off = send(begin({ retry: { ...twoAttempts, on: ['FUNCTION_EXIT'] } }), dispatch(t0));
    expect(send(on, trapped(t0 + 1)).state).toBe('running.backingOff');
    expectEnd(send(off, trapped(t0 + 1)), 'failed', 'TRAP');
  });

  test('does not bring back what a caller cancelled', () => {
    expectEnd(send(running, cancel(t0 + 1), stopped(t0 + 2)), 'cancelled', 'CANCELLED');
  });

  test('does not bring back what was moved away', () => {
    expectEnd(send(running, detach(t0 + 1), stopped(t0 + 2)), 'failed', 'MOVED');
  });

  test('does not bring back what reached its output limit, which is one of the whole execution', () => {
    expectEnd(send(running, limit(t0 + 1), stopped(t0 + 2)), 'failed', 'OUTPUT_LIMIT');
  });
});
