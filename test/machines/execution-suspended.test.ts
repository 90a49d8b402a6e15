import { describe, expect, test } from 'vitest';
import { defaultTimers } from '../../src/domain/interruption.ts';
import {
  alarm,
  begin,
  cancel,
  completed,
  detach,
  dispatch,
  expectEnd,
  limit,
  lost,
  paused,
  restored,
  resume,
  runsOnce,
  send,
  stopped,
  suspend,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

describe('suspended with an attempt that stands still', () => {
  const suspended = send(begin({ attemptMs: 700, retry: twoAttempts }), dispatch(t0), paused(t0 + 100));

  test('it gives its slot back, and of its timers the total timeout alone goes on', () => {
    expect(suspended.state).toBe('running.suspended');
    expect([...suspended.effects].sort()).toEqual([`armAlarm ${totalDeadline}`, 'releaseSlot']);
    expect(suspended.snapshot.context).toMatchObject({ heldSince: t0 + 100, pausedAttempt: 1, attempt: 1 });
  });

  test('a resume lets the same attempt go on, with a slot, and its timeout anew', () => {
    const again = send(suspended, resume(t0 + 5000));
    expect(again.state).toBe('running.attempting');
    expect([...again.effects].sort()).toEqual([`armAlarm ${t0 + 5700}`, 'takeSlot']);
    expect(again.snapshot.context).toMatchObject({
      attempt: 1,
      pausedAttempt: null,
      heldSince: null,
      lost: 0,
    });
    expect(send(again, completed(t0 + 5100)).state).toBe('completed');
  });

  test('its attempt timeout does not ring', () => {
    expect(send(suspended, alarm(t0 + 700)).snapshot).toBe(suspended.snapshot);
  });

  test.each([
    ['a cancel', cancel(t0 + 200), 'cancelled', 'CANCELLED'],
    ['a move to another node', detach(t0 + 200), 'failed', 'MOVED'],
    ['an output limit', limit(t0 + 200), 'failed', 'OUTPUT_LIMIT'],
    ['the total timeout', alarm(totalDeadline), 'timedOut', 'TOTAL_TIMEOUT'],
  ] as const)('%s stops the attempt, which has a slot until it is gone', (_, event, state, code) => {
    const stopping = send(suspended, event);
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual(expect.arrayContaining(['takeSlot', 'stopAttempt']));
    const end = send(stopping, stopped(event.at + 10));
    expectEnd(end, state, code);
    expect(end.effects).toEqual(['releaseSlot']);
  });

  test('a completion that was on its way completes it: it has no slot to give back', () => {
    const end = send(suspended, completed(t0 + 101, { exitCode: 0 }));
    expect(end.state).toBe('completed');
    expect(end.effects).toEqual([]);
  });

  test('an attempt that was ended from outside is not tried again before the resume', () => {
    const waits = send(suspended, stopped(t0 + 200));
    expect(waits.state).toBe('running.suspended');
    expect(waits.effects).toEqual([]);
    expect(waits.snapshot.context).toMatchObject({ pausedAttempt: null, heldSince: t0 + 100 });
    const again = send(waits, resume(t0 + 300));
    expect(again.state).toBe('running.backingOff');
    expect(again.effects).toEqual([`armAlarm ${t0 + 300}`]);
  });

  test('an attempt that was ended from outside is a try all the same: after the last it fails', () => {
    const only = send(begin(), dispatch(t0), paused(t0 + 100));
    expectEnd(send(only, stopped(t0 + 200)), 'failed', 'INSTANCE_LOST');
    const second = send(suspended, trapped(t0 + 200), resume(t0 + 300), alarm(t0 + 300), dispatch(t0 + 300));
    expectEnd(send(second, trapped(t0 + 310)), 'failed', 'TRAP');
  });

  test('a lost attempt leaves it suspended where it may run again, and the resume runs it anew', () => {
    const without = send(suspended, lost(t0 + 200));
    expect(without.state).toBe('running.suspended');
    expect(without.effects).toEqual([]);
    expect(without.snapshot.context).toMatchObject({ pausedAttempt: null, recoveries: 1, lost: 1 });
    const again = send(without, resume(t0 + 300), alarm(t0 + 300), dispatch(t0 + 310));
    expect(again.state).toBe('running.attempting');
    expect(again.snapshot.context).toMatchObject({ attempt: 2, attemptDeadline: t0 + 1010 });
  });

  test('a lost attempt ends it where it may not', () => {
    const once = send(begin({ recovery: runsOnce }), dispatch(t0), paused(t0 + 100));
    const end = send(once, lost(t0 + 200));
    expectEnd(end, 'failed', 'INTERRUPTED');
    expect(end.effects).toEqual([]);
  });
});

describe('suspended without an attempt', () => {
  const backingOff = send(begin({ retry: twoAttempts }), dispatch(t0), trapped(t0 + 5));
  const suspended = send(backingOff, suspend(t0 + 10));

  test('one that backs off gives up what it waits for, before its retry is due and after', () => {
    for (const step of [backingOff, send(backingOff, alarm(t0 + 205))]) {
      const held = send(step, suspend(t0 + 300));
      expect(held.state).toBe('running.suspended');
      expect([...held.effects].sort()).toEqual([`armAlarm ${totalDeadline}`, 'releaseSlot']);
      expect(held.snapshot.context).toMatchObject({ heldSince: t0 + 300, pausedAttempt: null });
    }
  });

  test('a resume makes its next attempt due at once', () => {
    const again = send(suspended, resume(t0 + 1000));
    expect(again.state).toBe('running.backingOff');
    expect(again.effects).toEqual([`armAlarm ${t0 + 1000}`]);
    expect(send(again, alarm(t0 + 1000)).effects).toContain('requestSlot');
  });

  test.each([
    ['a cancel', cancel(t0 + 200), 'cancelled', 'CANCELLED'],
    ['a move to another node', detach(t0 + 200), 'failed', 'MOVED'],
    ['the total timeout', alarm(totalDeadline), 'timedOut', 'TOTAL_TIMEOUT'],
  ] as const)('%s ends it at once: nothing runs', (_, event, state, code) => {
    const end = send(suspended, event);
    expectEnd(end, state, code);
    expect(end.effects).toEqual([]);
  });

  test('a total timeout that is not absolute does not ring', () => {
    const timers = { ...defaultTimers, total: 'remaining' } as const;
    const held = send(begin({ retry: twoAttempts, timers }), dispatch(t0), trapped(t0 + 5), suspend(t0 + 10));
    expect(held.effects).toContain('armAlarm Infinity');
    const again = send(held, resume(t0 + 50_010));
    expect(again.snapshot.context.totalDeadline).toBe(totalDeadline + 50_000);
  });

  test('neither a slot, an output limit, a second suspend nor a restore means anything to it', () => {
    for (const event of [
      dispatch(t0 + 20),
      limit(t0 + 20),
      suspend(t0 + 20),
      paused(t0 + 20),
      restored(t0 + 20, t0 + 15, false),
    ]) {
      expect(send(suspended, event).snapshot).toBe(suspended.snapshot);
    }
  });
});
