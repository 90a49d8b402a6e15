import { describe, expect, test } from 'vitest';
import { confirmMs } from '../../src/machines/ending.ts';
import {
  alarm,
  begin,
  cancel,
  completed,
  detach,
  dispatch,
  expectEnd,
  limit,
  send,
  stopped,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('stopping', () => {
  const running = send(begin({ attemptMs: 700 }), dispatch(t0));
  const cancelling = send(running, cancel(t0 + 10));

  test('the execution ends when the attempt is gone, and says which rung worked and how long it took', () => {
    const end = send(cancelling, stopped(t0 + 35, 'cooperative'));
    expectEnd(end, 'cancelled', 'CANCELLED');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toMatchObject({ termination: { rung: 'cooperative', tookMs: 25 } });
  });

  test('a wall clock that went back makes no negative time', () => {
    const end = send(cancelling, stopped(t0 - 500));
    expect(end.snapshot.context.outcome).toMatchObject({ termination: { tookMs: 0 } });
  });

  test('the first cause wins over an attempt that completes or fails meanwhile', () => {
    const end = send(cancelling, completed(t0 + 20, { exitCode: 0 }));
    expectEnd(end, 'cancelled', 'CANCELLED');
    expect(end.snapshot.context.outcome).toMatchObject({ exitCode: 0, termination: { rung: 'none' } });
    expectEnd(send(cancelling, trapped(t0 + 20)), 'cancelled', 'CANCELLED');
  });

  test.each([
    ['a second cancel', cancel(t0 + 20, 'again')],
    ['a move to another node', detach(t0 + 20)],
    ['an output limit', limit(t0 + 20)],
  ])('the first cause wins over %s', (_, event) => {
    expect(send(cancelling, event).snapshot).toBe(cancelling.snapshot);
  });

  test('the first cause wins over a total timeout, and the alarm goes back to the end of the grace', () => {
    const late = send(begin({ totalMs: 10_000, graceMs: 500 }), dispatch(t0), cancel(t0 + 9900));
    expect(late.effects).toContain(`armAlarm ${totalDeadline}`);
    const after = send(late, alarm(totalDeadline));
    expect(after.effects).toEqual([`armAlarm ${t0 + 10_400 + confirmMs}`]);
    expect(after.snapshot.context.cause).toMatchObject({ code: 'CANCELLED' });
  });

  test('a timeout ends TIMED_OUT and says which, when the attempt is gone', () => {
    expectEnd(send(running, alarm(t0 + 700), stopped(t0 + 710)), 'timedOut', 'ATTEMPT_TIMEOUT');
    expectEnd(send(running, alarm(totalDeadline), stopped(totalDeadline + 9)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('an output limit or a move ends FAILED', () => {
    expectEnd(send(running, limit(t0 + 5), stopped(t0 + 6)), 'failed', 'OUTPUT_LIMIT');
    expectEnd(send(running, detach(t0 + 5), stopped(t0 + 6)), 'failed', 'MOVED');
  });

  test('when the grace and the time for its forced end are over and the attempt is not gone, it fails KILL_UNCONFIRMED and names the cause', () => {
    expect(send(cancelling, alarm(t0 + 109 + confirmMs)).state).toBe('running.stopping');
    const end = send(cancelling, alarm(t0 + 110 + confirmMs));
    expectEnd(end, 'failed', 'KILL_UNCONFIRMED');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toMatchObject({ message: expect.stringContaining('CANCELLED') });
  });
});

describe('stopping for an attempt timeout that would be retried', () => {
  const stopping = send(begin({ attemptMs: 700, retry: twoAttempts }), dispatch(t0), alarm(t0 + 700));

  test('the retry is made when the attempt is gone, from a clean slate', () => {
    const step = send(stopping, stopped(t0 + 720));
    expect(step.state).toBe('running.backingOff');
    expect([...step.effects].sort()).toEqual([`armAlarm ${t0 + 920}`, 'releaseSlot']);
    expect(step.snapshot.context).toMatchObject({
      cause: null,
      stopDeadline: null,
      stoppingSince: null,
      attemptDeadline: null,
    });
  });

  test('an attempt that completes while it is stopped for its timeout is still retried', () => {
    expect(send(stopping, completed(t0 + 720)).state).toBe('running.backingOff');
  });

  test('a cancel replaces the cause: there is no retry', () => {
    const replaced = send(stopping, cancel(t0 + 710));
    expect(replaced.state).toBe('running.stopping');
    expect(replaced.effects).toEqual([]);
    expectEnd(send(replaced, stopped(t0 + 720)), 'cancelled', 'CANCELLED');
  });

  test('a move to another node replaces the cause: there is no retry', () => {
    expectEnd(send(stopping, detach(t0 + 710), stopped(t0 + 720)), 'failed', 'MOVED');
  });

  test('an output limit that is reached while it stops replaces the cause: the next attempt could write nothing', () => {
    expectEnd(send(stopping, limit(t0 + 710), stopped(t0 + 720)), 'failed', 'OUTPUT_LIMIT');
  });

  test('the total timeout replaces the cause, and the alarm goes on to the end of the grace', () => {
    const late = send(
      begin({ totalMs: 750, attemptMs: 700, retry: { ...twoAttempts, initialMs: 1 } }),
      dispatch(t0),
      alarm(t0 + 700),
    );
    expect(late.effects).toContain(`armAlarm ${t0 + 750}`);
    const replaced = send(late, alarm(t0 + 750));
    expect(replaced.effects).toEqual([`armAlarm ${t0 + 800 + confirmMs}`]);
    expectEnd(send(replaced, stopped(t0 + 760)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('what replaced the cause is not replaced again', () => {
    const end = send(stopping, cancel(t0 + 710), detach(t0 + 711), cancel(t0 + 712, 'b'), stopped(t0 + 720));
    expectEnd(end, 'cancelled', 'CANCELLED');
    expect(end.snapshot.context.outcome).toMatchObject({ message: 'cancelled' });
  });

  test('a retry that would outlast the total deadline is not made: it ends TIMED_OUT by its attempt timeout', () => {
    const end = send(
      begin({ totalMs: 800, attemptMs: 700, retry: twoAttempts }),
      dispatch(t0),
      alarm(t0 + 700),
      stopped(t0 + 710),
    );
    expectEnd(end, 'timedOut', 'ATTEMPT_TIMEOUT');
  });
});
