import { describe, expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  detach,
  dispatch,
  expectEnd,
  send,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('backing off', () => {
  const backingOff = send(
    begin({ retry: twoAttempts, queueMs: 50, attemptMs: 700 }),
    dispatch(t0),
    trapped(t0 + 5),
  );

  test('when its delay is over it asks for a slot, and waits with the total deadline armed', () => {
    expect(send(backingOff, alarm(t0 + 204)).snapshot).toBe(backingOff.snapshot);
    const due = send(backingOff, alarm(t0 + 205));
    expect(due.state).toBe('running.backingOff');
    expect(due.effects).toEqual([`armAlarm ${totalDeadline}`, 'requestSlot']);
  });

  test('it asks for that slot once, whatever rings while it waits', () => {
    const due = send(backingOff, alarm(t0 + 205));
    const again = send(due, alarm(t0 + 206));
    expect(again.snapshot).toBe(due.snapshot);
    expect(again.effects).toEqual([]);
  });

  test('the queue timeout does not count while a retry waits for its slot', () => {
    const due = send(backingOff, alarm(t0 + 205));
    expect(send(due, alarm(t0 + 1000)).state).toBe('running.backingOff');
  });

  test('the slot begins attempt 2 with an attempt timeout of its own', () => {
    const second = send(backingOff, alarm(t0 + 205), dispatch(t0 + 300));
    expect(second.state).toBe('running.attempting');
    expect(second.effects).toEqual(['startAttempt', `armAlarm ${t0 + 1000}`]);
    expect(second.snapshot.context).toMatchObject({ attempt: 2, retryAt: null });
  });

  test('the last attempt is not retried', () => {
    expectEnd(send(backingOff, alarm(t0 + 205), dispatch(t0 + 300), trapped(t0 + 310)), 'failed', 'TRAP');
  });

  test('delays grow by the factor and shrink by the random share', () => {
    const retry = { ...twoAttempts, maxAttempts: 3, jitter: 0.5 };
    const first = send(begin({ retry }), dispatch(t0), trapped(t0, 1));
    expect(first.snapshot.context.retryAt).toBe(t0 + 100);
    const second = send(first, alarm(t0 + 100), dispatch(t0 + 100), trapped(t0 + 100, 0));
    expect(second.snapshot.context.retryAt).toBe(t0 + 500);
  });

  test.each([
    ['a cancel', cancel(t0 + 50), 'cancelled', 'CANCELLED'],
    ['a move to another node', detach(t0 + 50), 'failed', 'MOVED'],
    ['the total timeout', alarm(totalDeadline), 'timedOut', 'TOTAL_TIMEOUT'],
  ] as const)('%s ends it at once: nothing runs', (_, event, state, code) => {
    const end = send(backingOff, event);
    expectEnd(end, state, code);
    expect(end.effects).toEqual([]);
  });
});
