import { describe, expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  completed,
  dispatch,
  lost,
  paused,
  restored,
  resume,
  send,
  suspend,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

const waiting = begin({ startAt: t0 + 500, queueMs: 300 });
const queued = begin({ queueMs: 300 });
const backingOff = send(begin({ retry: twoAttempts }), dispatch(t0), trapped(t0 + 5));

describe('restored', () => {
  test('waiting: it waits for what was left when the snapshot was taken', () => {
    const there = send(waiting, restored(t0 + 9000, t0 + 100));
    expect(there.state).toBe('pending.waiting');
    expect(there.effects).toEqual([`armAlarm ${t0 + 9400}`]);
    expect(there.snapshot.context.heldSince).toBeNull();
  });

  test('queued: it asks for a slot here, with what was left of its queue timeout', () => {
    const there = send(queued, restored(t0 + 9000, t0 + 100));
    expect(there.state).toBe('pending.queued');
    expect(there.effects).toEqual([`armAlarm ${t0 + 9200}`, 'requestSlot']);
  });

  test('backing off: its retry is due at its instant', () => {
    const there = send(backingOff, restored(t0 + 150, t0 + 100));
    expect(there.state).toBe('running.backingOff');
    expect(there.effects).toEqual([`armAlarm ${t0 + 205}`]);
    expect(send(there, alarm(t0 + 205)).effects).toContain('requestSlot');
  });

  test('running, its attempt was left behind: it runs again after that, with its timers as they are', () => {
    const running = send(begin({ attemptMs: 700 }), dispatch(t0));
    const there = send(running, lost(t0 + 9000), restored(t0 + 9000, t0 + 100));
    expect(there.state).toBe('running.backingOff');
    expect(there.effects).toEqual([`armAlarm ${t0 + 9000}`]);
    const again = send(there, alarm(t0 + 9000), dispatch(t0 + 9000));
    expect(again.snapshot.context).toMatchObject({
      attempt: 2,
      attemptDeadline: t0 + 9700,
      totalDeadline,
    });
  });

  test('a snapshot says nothing to an attempt that runs or is being stopped: that has to be lost first', () => {
    const running = send(begin(), dispatch(t0));
    for (const step of [running, send(running, cancel(t0 + 5))]) {
      expect(send(step, restored(t0 + 9000, t0 + 100, true)).snapshot).toBe(step.snapshot);
    }
  });

  test('an execution that has ended stays as it is', () => {
    const end = send(begin(), dispatch(t0), completed(t0 + 5));
    expect(send(end, restored(t0 + 9000, t0 + 100)).snapshot).toBe(end.snapshot);
  });
});

describe('restored to be held', () => {
  test.each([
    ['waiting', waiting, 'pending.held', 'pending.waiting'],
    ['queued', queued, 'pending.held', 'pending.queued'],
    ['backing off', backingOff, 'running.suspended', 'running.backingOff'],
  ] as const)(
    '%s: it stands still since the snapshot was taken, and goes on at a resume',
    (_, step, held, then) => {
      const there = send(step, restored(t0 + 9000, t0 + 100, true));
      expect(there.state).toBe(held);
      expect(there.effects).toContain(`armAlarm ${totalDeadline}`);
      expect(there.effects).not.toContain('requestSlot');
      expect(there.snapshot.context.heldSince).toBe(t0 + 100);
      expect(send(there, resume(t0 + 9100)).state).toBe(then);
    },
  );

  test('queued or backing off: it gives up the place that it may have here', () => {
    for (const step of [queued, backingOff]) {
      expect(send(step, restored(t0 + 9000, t0 + 100, true)).effects).toContain('releaseSlot');
    }
  });

  test('running: its attempt is lost, and it is suspended without one', () => {
    const there = send(begin(), dispatch(t0), lost(t0 + 9000), restored(t0 + 9000, t0 + 100, true));
    expect(there.state).toBe('running.suspended');
    expect(there.snapshot.context).toMatchObject({ pausedAttempt: null, recoveries: 1 });
  });

  test('held or suspended already: it stays so', () => {
    const suspended = send(begin(), dispatch(t0), paused(t0 + 50), lost(t0 + 9000));
    for (const step of [send(queued, suspend(t0 + 50)), suspended]) {
      const there = send(step, restored(t0 + 9000, t0 + 100, true));
      expect(there.snapshot).toBe(step.snapshot);
      expect(there.snapshot.context.heldSince).toBe(t0 + 50);
    }
  });
});
