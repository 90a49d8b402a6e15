import { describe, expect, test } from 'vitest';
import { defaultTimers } from '../../src/domain/interruption.ts';
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
  paused,
  resume,
  runsOnce,
  send,
  stopped,
  suspend,
  t0,
  totalDeadline,
  trapped,
} from './chart.ts';

describe('a running attempt that cannot be paused', () => {
  const running = send(begin({ attemptMs: 700, totalMs: 60_000 }), dispatch(t0));
  const stopping = send(running, suspend(t0 + 100));

  test('is stopped, with its grace, where it may run again', () => {
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual([`armAlarm ${t0 + 200 + confirmMs}`, 'stopAttempt']);
    expect(stopping.snapshot.context).toMatchObject({ heldSince: t0 + 100, cause: null });
  });

  test('is left alone where it may not', () => {
    const once = send(begin({ recovery: runsOnce }), dispatch(t0));
    expect(send(once, suspend(t0 + 100)).snapshot).toBe(once.snapshot);
  });

  test('suspends its execution when it is gone, and counts as no try', () => {
    const suspended = send(stopping, stopped(t0 + 120));
    expect(suspended.state).toBe('running.suspended');
    expect([...suspended.effects].sort()).toEqual([`armAlarm ${t0 + 60_000}`, 'releaseSlot']);
    expect(suspended.snapshot.context).toMatchObject({ lost: 1, recoveries: 0, stopDeadline: null });
    const again = send(suspended, resume(t0 + 500), alarm(t0 + 500), dispatch(t0 + 500));
    expect(again.snapshot.context).toMatchObject({ attempt: 2, attemptDeadline: t0 + 1200 });
    // One try is all that its policy allows, and the first was none.
    expectEnd(send(again, trapped(t0 + 510)), 'failed', 'TRAP');
  });

  test('that fails as it is stopped was no try either', () => {
    expect(send(stopping, trapped(t0 + 120)).state).toBe('running.suspended');
  });

  test('that completes meanwhile completes its execution', () => {
    const end = send(stopping, completed(t0 + 120, { exitCode: 0 }));
    expect(end.state).toBe('completed');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toEqual({ status: 'completed', exitCode: 0 });
  });

  test.each([
    ['a cancel', cancel(t0 + 110), 'cancelled', 'CANCELLED'],
    ['a move to another node', detach(t0 + 110), 'failed', 'MOVED'],
    ['an output limit', limit(t0 + 110), 'failed', 'OUTPUT_LIMIT'],
    ['the total timeout', alarm(t0 + 60_000), 'timedOut', 'TOTAL_TIMEOUT'],
  ] as const)('%s meanwhile is the end of its execution', (_, event, state, code) => {
    const late = send(begin({ totalMs: 60_000 }), dispatch(t0), suspend(t0 + 59_990));
    const ending = send(event.type === 'alarm' ? late : stopping, event);
    expect(ending.state).toBe('running.stopping');
    expectEnd(send(ending, stopped(event.at + 5)), state, code);
  });

  test('a resume meanwhile runs it anew as soon as it is gone', () => {
    const again = send(stopping, resume(t0 + 110));
    expect(again.state).toBe('running.stopping');
    expect(again.effects).toEqual([`armAlarm ${t0 + 200 + confirmMs}`]);
    expect(send(again, resume(t0 + 115)).snapshot).toBe(again.snapshot);
    const due = send(again, stopped(t0 + 120));
    expect(due.state).toBe('running.backingOff');
    expect([...due.effects].sort()).toEqual([`armAlarm ${t0 + 120}`, 'releaseSlot']);
    expect(send(due, alarm(t0 + 120), dispatch(t0 + 120)).snapshot.context).toMatchObject({
      attempt: 2,
      lost: 1,
    });
  });

  test('a suspend after that resume holds it after all', () => {
    const held = send(stopping, resume(t0 + 110), suspend(t0 + 115));
    expect(held.snapshot.context.heldSince).toBe(t0 + 115);
    expect(send(held, stopped(t0 + 120)).state).toBe('running.suspended');
  });

  test('a total timeout that is not absolute does not count while it is stopped to be held', () => {
    const timers = { ...defaultTimers, total: 'remaining' } as const;
    const late = send(begin({ timers }), dispatch(t0), suspend(totalDeadline - 10));
    expect(late.effects).toContain(`armAlarm ${totalDeadline + 90 + confirmMs}`);
    expect(send(late, alarm(totalDeadline)).snapshot.context.cause).toBeNull();
    for (const meanwhile of [
      [stopped(totalDeadline + 50), resume(totalDeadline + 90)],
      [resume(totalDeadline + 90)],
    ]) {
      const again = send(late, ...meanwhile);
      expect(again.snapshot.context.totalDeadline).toBe(totalDeadline + 100);
      expect(send(again, alarm(totalDeadline + 90)).snapshot.context.cause).toBeNull();
    }
  });

  test('that is not gone when its grace is over fails KILL_UNCONFIRMED', () => {
    const end = send(stopping, alarm(t0 + 200 + confirmMs));
    expectEnd(end, 'failed', 'KILL_UNCONFIRMED');
    expect(end.effects).toEqual(['releaseSlot']);
  });

  test('an attempt that is stopped for another reason is neither held nor let go on', () => {
    const cancelling = send(running, cancel(t0 + 50));
    for (const event of [suspend(t0 + 60), resume(t0 + 60), paused(t0 + 60)]) {
      expect(send(cancelling, event).snapshot).toBe(cancelling.snapshot);
    }
  });
});
