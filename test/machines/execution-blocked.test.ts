/** What waits for what it depends on. */
import { expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  dispatch,
  expectEnd,
  resume,
  send,
  suspend,
  t0,
  totalDeadline,
  unblocked,
} from './chart.ts';

const blocked = { isBlocked: true } as const;

test('it stands under its total timeout alone, and asks for no slot', () => {
  const step = begin({ ...blocked, queueMs: 100 });
  expect(step).toMatchObject({ state: 'pending.blocked', effects: [`armAlarm ${totalDeadline}`] });
  expect(send(step, alarm(t0 + 5000)).snapshot).toBe(step.snapshot);
  expect(send(step, dispatch(t0 + 1)).snapshot).toBe(step.snapshot);
  expectEnd(send(step, alarm(totalDeadline)), 'timedOut', 'TOTAL_TIMEOUT');
});

test('it queues when it is unblocked, and its queue timeout counts from there', () => {
  const step = send(begin({ ...blocked, queueMs: 100 }), unblocked(t0 + 500));
  expect(step).toMatchObject({ state: 'pending.queued', effects: [`armAlarm ${t0 + 600}`, 'requestSlot'] });
  expectEnd(send(step, alarm(t0 + 600)), 'timedOut', 'QUEUE_TIMEOUT');
});

test('one with a start time waits for that next, also where it has passed', () => {
  const step = send(begin({ ...blocked, startAt: t0 + 50 }), unblocked(t0 + 500));
  expect(step).toMatchObject({ state: 'pending.waiting', effects: [`armAlarm ${t0 + 50}`] });
  expect(send(step, alarm(t0 + 500)).state).toBe('pending.queued');
});

test('it fails for a dependency, and says which', () => {
  const step = send(begin(blocked), unblocked(t0 + 500, 'it depends on exec_9'));
  expectEnd(step, 'failed', 'DEPENDENCY_FAILED');
  expect(step.snapshot.context.outcome).toMatchObject({ message: 'it depends on exec_9' });
});

test('it is unblocked once, and a later word of a dependency means nothing', () => {
  const step = send(begin(blocked), unblocked(t0 + 500));
  expect(send(step, unblocked(t0 + 501, 'it depends on exec_9')).snapshot).toBe(step.snapshot);
});

test('one that is held while it is blocked is blocked again when it goes on', () => {
  const held = send(begin({ ...blocked, queueMs: 100 }), suspend(t0 + 10));
  expect(held.state).toBe('pending.held');
  expect(send(held, resume(t0 + 20)).state).toBe('pending.blocked');
});

test('one that is unblocked while it is held queues when it goes on, with its queue timeout', () => {
  const held = send(begin({ ...blocked, queueMs: 100 }), suspend(t0 + 10), unblocked(t0 + 500));
  expect(held).toMatchObject({ state: 'pending.held' });
  const step = send(held, resume(t0 + 520));
  expect(step.state).toBe('pending.queued');
  expect(step.snapshot.context.queueDeadline).not.toBeNull();
  expectEnd(
    send(begin(blocked), suspend(t0 + 10), unblocked(t0 + 500, 'it depends on exec_9')),
    'failed',
    'DEPENDENCY_FAILED',
  );
});

test('it can be cancelled', () => {
  expectEnd(send(begin(blocked), cancel(t0 + 10)), 'cancelled', 'CANCELLED');
});
