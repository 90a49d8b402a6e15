import { describe, expect, test } from 'vitest';
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
  t0,
  totalDeadline,
} from './chart.ts';

describe('pending', () => {
  test('without a start time an execution is queued at once and asks for a slot', () => {
    const step = begin();
    expect(step.state).toBe('pending.queued');
    expect(step.effects.at(-1)).toBe('requestSlot');
    expect(step.effects.at(-2)).toBe(`armAlarm ${totalDeadline}`);
    expect(step.snapshot.context.attempt).toBe(0);
  });

  test('with a start time it waits, asks for no slot, and its alarm stands at that time', () => {
    const step = begin({ startAt: t0 + 500 });
    expect(step.state).toBe('pending.waiting');
    expect(step.effects).toEqual([`armAlarm ${t0 + 500}`]);
  });

  test('it leaves the waiting for the queue at its start time, not before', () => {
    const waiting = begin({ startAt: t0 + 500 });
    expect(send(waiting, alarm(t0 + 499)).state).toBe('pending.waiting');
    const queued = send(waiting, alarm(t0 + 500));
    expect(queued.state).toBe('pending.queued');
    expect(queued.effects).toEqual([`armAlarm ${totalDeadline}`, 'requestSlot']);
  });

  test('the queue timeout counts from entering the queue, not from admission', () => {
    const waiting = begin({ startAt: t0 + 500, queueMs: 300 });
    expect(send(waiting, alarm(t0 + 400)).state).toBe('pending.waiting');
    const queued = send(waiting, alarm(t0 + 510));
    expect(queued.effects).toEqual([`armAlarm ${t0 + 810}`, 'requestSlot']);
    expect(send(queued, alarm(t0 + 809)).state).toBe('pending.queued');
    expectEnd(send(queued, alarm(t0 + 810)), 'timedOut', 'QUEUE_TIMEOUT');
  });

  test('without a start time the queue timeout counts from admission', () => {
    const queued = begin({ queueMs: 300 });
    expect(queued.effects.at(-2)).toBe(`armAlarm ${t0 + 300}`);
    const end = send(queued, alarm(t0 + 300));
    expectEnd(end, 'timedOut', 'QUEUE_TIMEOUT');
    expect(end.snapshot.context.outcome).toMatchObject({ message: expect.stringContaining('300 ms') });
  });

  test('the total timeout wins a tie with the queue timeout and with the start time', () => {
    expectEnd(send(begin({ queueMs: 10_000 }), alarm(totalDeadline)), 'timedOut', 'TOTAL_TIMEOUT');
    expectEnd(send(begin({ startAt: totalDeadline }), alarm(totalDeadline)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('a total timeout that is nearer than the start time or the queue timeout is what the alarm stands at', () => {
    expect(begin({ startAt: t0 + 20_000 }).effects).toEqual([`armAlarm ${totalDeadline}`]);
    expect(begin({ queueMs: 20_000 }).effects.at(-2)).toBe(`armAlarm ${totalDeadline}`);
  });

  test('a slot that comes makes it run: attempt 1, with the queue timeout over and the attempt timeout counting', () => {
    const running = send(begin({ queueMs: 300, attemptMs: 700 }), dispatch(t0 + 40));
    expect(running.state).toBe('running.attempting');
    expect(running.effects).toEqual(['startAttempt', `armAlarm ${t0 + 740}`]);
    expect(running.snapshot.context).toMatchObject({
      attempt: 1,
      queueDeadline: null,
      attemptDeadline: t0 + 740,
    });
  });

  test.each([
    ['waiting', begin({ startAt: t0 + 500 })],
    ['queued', begin()],
  ])('%s: a cancel ends it at once, attempt 0, without a slot to give back', (_, step) => {
    const end = send(step, cancel(t0 + 1, 'not needed'));
    expectEnd(end, 'cancelled', 'CANCELLED');
    expect(end.effects).toEqual([]);
    expect(end.snapshot.context).toMatchObject({ attempt: 0, outcome: { message: 'cancelled: not needed' } });
  });

  test.each([
    ['waiting', begin({ startAt: t0 + 500 })],
    ['queued', begin()],
  ])('%s: a move to another node ends it MOVED', (_, step) => {
    expectEnd(send(step, detach(t0 + 1)), 'failed', 'MOVED');
  });

  test('waiting: neither a slot nor an end of an attempt means anything', () => {
    const waiting = begin({ startAt: t0 + 500 });
    for (const event of [dispatch(t0), completed(t0), limit(t0)]) {
      expect(send(waiting, event).snapshot).toBe(waiting.snapshot);
    }
  });
});
