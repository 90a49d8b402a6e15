/** Invariant I7: what becomes of each timer while an execution stands still, by what its task says. */
import { describe, expect, test } from 'vitest';
import { defaultTimers } from '../../src/domain/interruption.ts';
import type { TimerName, TimerPolicy } from '../../src/domain/task.ts';
import type { ExecutionInput } from '../../src/machines/execution-context.ts';
import {
  alarm,
  begin,
  dispatch,
  paused,
  restored,
  resume,
  type Step,
  send,
  suspend,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

type Deadline = 'startAt' | 'queueDeadline' | 'attemptDeadline' | 'totalDeadline';

interface Case {
  readonly timer: TimerName;
  readonly deadline: Deadline;
  readonly policy: TimerPolicy;
  /** Where the deadline stands after the execution stood still from t0 + 100 to t0 + 1100. */
  readonly moved: number;
}

const timed: Partial<ExecutionInput> = { queueMs: 300, attemptMs: 700 };

/** An execution in which that timer counts; it stands still from t0 + 100 on. */
const stoodStill: Readonly<Record<TimerName, (how: Partial<ExecutionInput>) => Step>> = {
  start: (how) => send(begin({ ...timed, ...how, startAt: t0 + 500 }), suspend(t0 + 100)),
  queue: (how) => send(begin({ ...timed, ...how }), suspend(t0 + 100)),
  attempt: (how) => send(begin({ ...timed, ...how }), dispatch(t0 + 50), paused(t0 + 100)),
  total: (how) => send(begin({ ...timed, ...how }), suspend(t0 + 100)),
};

const cases: readonly Case[] = [
  { timer: 'start', deadline: 'startAt', policy: 'absolute', moved: t0 + 500 },
  { timer: 'start', deadline: 'startAt', policy: 'remaining', moved: t0 + 1500 },
  { timer: 'start', deadline: 'startAt', policy: 'anew', moved: t0 + 1600 },
  { timer: 'queue', deadline: 'queueDeadline', policy: 'absolute', moved: t0 + 300 },
  { timer: 'queue', deadline: 'queueDeadline', policy: 'remaining', moved: t0 + 1300 },
  { timer: 'queue', deadline: 'queueDeadline', policy: 'anew', moved: t0 + 1400 },
  { timer: 'attempt', deadline: 'attemptDeadline', policy: 'absolute', moved: t0 + 750 },
  { timer: 'attempt', deadline: 'attemptDeadline', policy: 'remaining', moved: t0 + 1750 },
  { timer: 'attempt', deadline: 'attemptDeadline', policy: 'anew', moved: t0 + 1800 },
  { timer: 'total', deadline: 'totalDeadline', policy: 'absolute', moved: totalDeadline },
  { timer: 'total', deadline: 'totalDeadline', policy: 'remaining', moved: totalDeadline + 1000 },
  { timer: 'total', deadline: 'totalDeadline', policy: 'anew', moved: totalDeadline + 1100 },
];

test.each(cases)('$timer, $policy: at a resume', ({ timer, deadline, policy, moved }) => {
  const timers = { ...defaultTimers, [timer]: policy };
  const again = send(stoodStill[timer]({ timers }), resume(t0 + 1100));
  expect(again.snapshot.context[deadline]).toBe(moved);
});

// A snapshot carries no attempt, so the timeout of one has nothing to say at a restore.
const carried = cases.filter(({ timer }) => timer !== 'attempt');

describe.each(carried)('$timer, $policy', ({ timer, deadline, policy, moved }) => {
  const timers = { ...defaultTimers, [timer]: policy };
  const taken = begin({ ...timed, timers, ...(timer === 'start' && { startAt: t0 + 500 }) });

  test('at a restore, from when the snapshot was taken', () => {
    const there = send(taken, restored(t0 + 1100, t0 + 100));
    expect(there.state).toBe(taken.state);
    expect(there.snapshot.context[deadline]).toBe(moved);
  });

  test('at a restore that holds it, at the resume alone', () => {
    const there = send(taken, restored(t0 + 600, t0 + 100, true));
    expect(there.state).toBe('pending.held');
    expect(there.snapshot.context[deadline]).toBe(taken.snapshot.context[deadline]);
    expect(send(there, resume(t0 + 1100)).snapshot.context[deadline]).toBe(moved);
  });
});

test('what a task does not say is: start and queue remain, an attempt counts anew, total is absolute', () => {
  for (const [timer, step] of Object.entries(stoodStill)) {
    const expected = cases.find(
      (one) => one.timer === timer && one.policy === defaultTimers[one.timer],
    ) as Case;
    const again = send(step({}), resume(t0 + 1100));
    expect(again.snapshot.context[expected.deadline], timer).toBe(expected.moved);
  }
});

test('of two nodes whose clocks differ the one behind gives no more time than was left', () => {
  const queued = begin(timed);
  const there = send(queued, restored(t0 - 5000, t0 + 100));
  expect(there.snapshot.context.queueDeadline).toBe(t0 + 300);
});

test('a timer that was not set is not set by a resume or a restore either', () => {
  const bare = send(begin(), suspend(t0 + 100), resume(t0 + 200), restored(t0 + 300, t0 + 250));
  expect(bare.snapshot.context).toMatchObject({ startAt: null, queueDeadline: null, attemptDeadline: null });
});

test('the queue timeout of one that waits does not count before it is queued, held or not', () => {
  const waiting = send(begin({ ...timed, startAt: t0 + 500 }), suspend(t0 + 100), resume(t0 + 1100));
  expect(waiting.snapshot.context.queueDeadline).toBeNull();
  expect(send(waiting, alarm(t0 + 1500)).snapshot.context.queueDeadline).toBe(t0 + 1800);
});

test('a total timeout that has passed while an absolute one was restored rings at once', () => {
  const there = send(begin(), restored(totalDeadline + 500, t0 + 100));
  expect(there.effects).toContain(`armAlarm ${totalDeadline}`);
  expect(send(there, alarm(totalDeadline + 500)).state).toBe('timedOut');
});

test('the delay of a retry is as it was: it is due at its instant, or at once', () => {
  const backingOff = send(begin({ retry: twoAttempts }), dispatch(t0), trapped(t0 + 5));
  const there = send(backingOff, restored(t0 + 1100, t0 + 100));
  expect(there.state).toBe('running.backingOff');
  expect(there.effects).toContain(`armAlarm ${t0 + 205}`);
});
