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
  send,
  suspend,
  t0,
  totalDeadline,
} from './chart.ts';

const waiting = begin({ startAt: t0 + 500, queueMs: 300 });
const queued = begin({ queueMs: 300 });

describe('held', () => {
  test('waiting: a suspend holds it, and of its timers the total timeout alone goes on', () => {
    const held = send(waiting, suspend(t0 + 100));
    expect(held.state).toBe('pending.held');
    expect(held.effects).toEqual([`armAlarm ${totalDeadline}`]);
    expect(held.snapshot.context).toMatchObject({ heldSince: t0 + 100, startAt: t0 + 500 });
  });

  test('queued: a suspend gives up its place too', () => {
    const held = send(queued, suspend(t0 + 100));
    expect(held.state).toBe('pending.held');
    expect([...held.effects].sort()).toEqual([`armAlarm ${totalDeadline}`, 'releaseSlot']);
    expect(held.snapshot.context).toMatchObject({ heldSince: t0 + 100, queueDeadline: t0 + 300 });
  });

  test('a resume before its start time lets it wait for what was left', () => {
    const again = send(waiting, suspend(t0 + 100), resume(t0 + 400));
    expect(again.state).toBe('pending.waiting');
    expect(again.effects).toEqual([`armAlarm ${t0 + 800}`]);
    expect(again.snapshot.context).toMatchObject({ startAt: t0 + 800, heldSince: null });
  });

  test('a resume long after its start time still lets it wait for what was left', () => {
    const again = send(waiting, suspend(t0 + 100), resume(t0 + 5000));
    expect(again.state).toBe('pending.waiting');
    expect(again.effects).toEqual([`armAlarm ${t0 + 5400}`]);
  });

  test('a resume of one that was queued asks for a slot again, with what was left of its queue timeout', () => {
    const again = send(queued, suspend(t0 + 100), resume(t0 + 1100));
    expect(again.state).toBe('pending.queued');
    expect(again.effects).toEqual([`armAlarm ${t0 + 1300}`, 'requestSlot']);
    expect(again.snapshot.context).toMatchObject({ queueDeadline: t0 + 1300, heldSince: null });
  });

  test('it can be held twice, and each time counts', () => {
    const twice = send(queued, suspend(t0 + 100), resume(t0 + 200), suspend(t0 + 250), resume(t0 + 450));
    expect(twice.snapshot.context).toMatchObject({ queueDeadline: t0 + 600 });
  });

  test('its queue timeout does not ring, its total timeout does', () => {
    const held = send(queued, suspend(t0 + 100));
    expect(send(held, alarm(t0 + 300)).snapshot).toBe(held.snapshot);
    expectEnd(send(held, alarm(totalDeadline)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test.each([
    ['a cancel', cancel(t0 + 200), 'cancelled', 'CANCELLED'],
    ['a move to another node', detach(t0 + 200), 'failed', 'MOVED'],
  ] as const)('%s ends it at once, attempt 0, without a slot to give back', (_, event, state, code) => {
    const end = send(queued, suspend(t0 + 100), event);
    expectEnd(end, state, code);
    expect(end.effects).toEqual([]);
    expect(end.snapshot.context.attempt).toBe(0);
  });

  test('nothing else means anything to it: neither a slot nor a second suspend', () => {
    const held = send(queued, suspend(t0 + 100));
    for (const event of [
      suspend(t0 + 200),
      dispatch(t0 + 200),
      completed(t0 + 200),
      limit(t0 + 200),
      lost(t0 + 200),
      paused(t0 + 200),
    ]) {
      expect(send(held, event).snapshot).toBe(held.snapshot);
    }
  });

  test('restored as it was, held, it stays so: its timers stand still since it was held', () => {
    const held = send(queued, suspend(t0 + 100));
    for (const hold of [true, false]) {
      const there = send(held, restored(t0 + 2000, t0 + 1000, hold));
      expect(there.snapshot).toBe(held.snapshot);
      expect(send(there, resume(t0 + 3100)).snapshot.context.queueDeadline).toBe(t0 + 3300);
    }
  });

  test('a resume means nothing to one that is not held', () => {
    for (const step of [waiting, queued, send(queued, dispatch(t0 + 1))]) {
      expect(send(step, resume(t0 + 10)).snapshot).toBe(step.snapshot);
    }
  });
});

describe('held, by what its task says of the total timeout', () => {
  const holdOf = (total: 'absolute' | 'remaining' | 'anew') =>
    send(begin({ queueMs: 300, timers: { ...defaultTimers, total } }), suspend(t0 + 100));

  test('absolute: the alarm stands at it, and a resume does not move it', () => {
    expect(holdOf('absolute').effects).toContain(`armAlarm ${totalDeadline}`);
    const again = send(holdOf('absolute'), resume(t0 + 1100));
    expect(again.snapshot.context.totalDeadline).toBe(totalDeadline);
  });

  test('remaining: no alarm stands, and a resume moves it by the time that was held', () => {
    expect(holdOf('remaining').effects).toContain('armAlarm Infinity');
    const again = send(holdOf('remaining'), resume(t0 + 90_100));
    expect(again.snapshot.context.totalDeadline).toBe(totalDeadline + 90_000);
    expect(again.state).toBe('pending.queued');
  });

  test('anew: no alarm stands, and it begins again at the resume', () => {
    expect(holdOf('anew').effects).toContain('armAlarm Infinity');
    const again = send(holdOf('anew'), resume(t0 + 90_100));
    expect(again.snapshot.context.totalDeadline).toBe(t0 + 100_100);
  });
});
