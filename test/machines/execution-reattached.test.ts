/** An attempt that outlived its node goes on as it was. */
import { describe, expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  completed,
  dispatch,
  expectEnd,
  lost,
  paused,
  reattached,
  resume,
  send,
  t0,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('an attempt that is followed again', () => {
  test('changes neither state nor context, and asks for nothing; it can be seen that it was taken', () => {
    const running = send(begin({ attemptMs: 500 }), dispatch(t0));
    const again = send(running, reattached(t0 + 100));
    expect(again.snapshot).not.toBe(running.snapshot);
    expect(again.state).toBe('running.attempting');
    expect(again.snapshot.context).toEqual(running.snapshot.context);
    expect(again.effects).toEqual([]);
    expectEnd(send(again, alarm(t0 + 500), completed(t0 + 510)), 'timedOut', 'ATTEMPT_TIMEOUT');
    expect(send(again, completed(t0 + 200)).state).toBe('completed');
  });

  test('while it is paused stays paused, and goes on at a resume', () => {
    const still = send(begin(), dispatch(t0), paused(t0 + 10));
    const again = send(still, reattached(t0 + 100));
    expect(again.snapshot).not.toBe(still.snapshot);
    expect(again.snapshot.context).toEqual(still.snapshot.context);
    expect(send(again, resume(t0 + 200)).effects).toContain('takeSlot');
  });

  test('may be lost after that', () => {
    const again = send(begin(), dispatch(t0), reattached(t0 + 10));
    expect(send(again, lost(t0 + 20)).state).toBe('running.backingOff');
  });

  test('is nothing where there is none: pending, backing off, being stopped', () => {
    const running = send(begin({ retry: twoAttempts }), dispatch(t0));
    for (const step of [begin(), send(running, trapped(t0 + 5)), send(running, cancel(t0 + 5))]) {
      expect(send(step, reattached(t0 + 10)).snapshot).toBe(step.snapshot);
    }
  });
});
