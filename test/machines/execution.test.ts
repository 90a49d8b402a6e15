import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorCodes } from '../../src/domain/errors.ts';
import {
  alarm,
  begin,
  cancel,
  completed,
  dispatch,
  interrupt,
  limit,
  type Step,
  send,
  stopped,
  t0,
  trapped,
  twoAttempts,
} from './chart.ts';

const totalDeadline = t0 + 10_000;

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
    expect(running.effects).toEqual([`armAlarm ${t0 + 740}`, 'startAttempt']);
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
  ])('%s: a node that stops ends it INTERRUPTED', (_, step) => {
    expectEnd(send(step, interrupt(t0 + 1)), 'failed', 'INTERRUPTED');
  });

  test('waiting: neither a slot nor an end of an attempt means anything', () => {
    const waiting = begin({ startAt: t0 + 500 });
    for (const event of [dispatch(t0), completed(t0), limit(t0)]) {
      expect(send(waiting, event).snapshot).toBe(waiting.snapshot);
    }
  });
});

describe('attempting', () => {
  const running = send(begin({ attemptMs: 700, retry: twoAttempts }), dispatch(t0));

  test('a completed attempt completes the execution and gives the slot back', () => {
    const end = send(running, completed(t0 + 5, { exitCode: 0, output: '"x"' }));
    expect(end.state).toBe('completed');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toEqual({ status: 'completed', exitCode: 0, output: '"x"' });
  });

  test('a failure without attempts left fails it with the code, the exit code and the output', () => {
    const only = send(begin(), dispatch(t0));
    const end = send(only, {
      type: 'attemptEnded',
      at: t0 + 5,
      random: 0,
      end: { kind: 'failed', code: 'FUNCTION_EXIT', message: 'exit 7', exitCode: 7, output: '1' },
    });
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toEqual({
      status: 'failed',
      code: 'FUNCTION_EXIT',
      message: 'exit 7',
      exitCode: 7,
      output: '1',
    });
  });

  test('a failure with a code that is not retryable is not retried, attempts left or not', () => {
    const end = send(running, {
      type: 'attemptEnded',
      at: t0 + 5,
      random: 0,
      end: { kind: 'failed', code: 'MEMORY_LIMIT', message: 'too much' },
    });
    expectEnd(end, 'failed', 'MEMORY_LIMIT');
  });

  test('a retryable failure with attempts left gives the slot back and backs off', () => {
    const step = send(running, trapped(t0 + 5));
    expect(step.state).toBe('running.backingOff');
    expect([...step.effects].sort()).toEqual([`armAlarm ${t0 + 205}`, 'releaseSlot']);
    expect(step.snapshot.context).toMatchObject({ attempt: 1, attemptDeadline: null, retryAt: t0 + 205 });
  });

  test('a retry whose delay would outlast the total deadline is not made, and its error is kept', () => {
    expectEnd(send(running, trapped(totalDeadline - 200)), 'failed', 'TRAP');
    expect(send(running, trapped(totalDeadline - 201)).state).toBe('running.backingOff');
  });

  test('an instance that was stopped by nobody of ours is INSTANCE_LOST', () => {
    expectEnd(send(begin(), dispatch(t0), stopped(t0 + 5)), 'failed', 'INSTANCE_LOST');
  });

  test('the attempt timeout stops it, and the alarm now stands at the end of the grace', () => {
    expect(send(running, alarm(t0 + 699)).snapshot).toBe(running.snapshot);
    const stopping = send(running, alarm(t0 + 700));
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual([`armAlarm ${t0 + 800}`, 'stopAttempt']);
    expect(stopping.snapshot.context.cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
  });

  test('the total timeout wins a tie with the attempt timeout', () => {
    const tie = send(begin({ attemptMs: 10_000 }), dispatch(t0), alarm(totalDeadline));
    expect(tie.snapshot.context.cause).toMatchObject({ code: 'TOTAL_TIMEOUT' });
  });

  test.each([
    ['a cancel', cancel(t0 + 1), 'CANCELLED'],
    ['an output limit', limit(t0 + 1), 'OUTPUT_LIMIT'],
    ['a node that stops', interrupt(t0 + 1), 'INTERRUPTED'],
  ] as const)('%s asks the attempt to stop, and does not end the execution yet', (_, event, code) => {
    const stopping = send(running, event);
    expect(stopping.state).toBe('running.stopping');
    expect(stopping.effects).toEqual([`armAlarm ${t0 + 101}`, 'stopAttempt']);
    expect(stopping.snapshot.context).toMatchObject({ cause: { code }, outcome: null });
  });
});

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
    expect(second.effects).toEqual([`armAlarm ${t0 + 1000}`, 'startAttempt']);
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
    ['a node that stops', interrupt(t0 + 50), 'failed', 'INTERRUPTED'],
    ['the total timeout', alarm(totalDeadline), 'timedOut', 'TOTAL_TIMEOUT'],
  ] as const)('%s ends it at once: nothing runs', (_, event, state, code) => {
    const end = send(backingOff, event);
    expectEnd(end, state, code);
    expect(end.effects).toEqual([]);
  });
});

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
    ['a node that stops', interrupt(t0 + 20)],
    ['an output limit', limit(t0 + 20)],
  ])('the first cause wins over %s', (_, event) => {
    expect(send(cancelling, event).snapshot).toBe(cancelling.snapshot);
  });

  test('the first cause wins over a total timeout, and the alarm goes back to the end of the grace', () => {
    const late = send(begin({ totalMs: 10_000, graceMs: 500 }), dispatch(t0), cancel(t0 + 9900));
    expect(late.effects).toContain(`armAlarm ${totalDeadline}`);
    const after = send(late, alarm(totalDeadline));
    expect(after.effects).toEqual([`armAlarm ${t0 + 10_400}`]);
    expect(after.snapshot.context.cause).toMatchObject({ code: 'CANCELLED' });
  });

  test('a timeout ends TIMED_OUT and says which, when the attempt is gone', () => {
    expectEnd(send(running, alarm(t0 + 700), stopped(t0 + 710)), 'timedOut', 'ATTEMPT_TIMEOUT');
    expectEnd(send(running, alarm(totalDeadline), stopped(totalDeadline + 9)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('an output limit or a stopping node ends FAILED', () => {
    expectEnd(send(running, limit(t0 + 5), stopped(t0 + 6)), 'failed', 'OUTPUT_LIMIT');
    expectEnd(send(running, interrupt(t0 + 5), stopped(t0 + 6)), 'failed', 'INTERRUPTED');
  });

  test('when the grace is over and the attempt is not gone, it fails KILL_UNCONFIRMED and names the cause', () => {
    expect(send(cancelling, alarm(t0 + 109)).state).toBe('running.stopping');
    const end = send(cancelling, alarm(t0 + 110));
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

  test('a node that stops replaces the cause: there is no retry', () => {
    expectEnd(send(stopping, interrupt(t0 + 710), stopped(t0 + 720)), 'failed', 'INTERRUPTED');
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
    expect(replaced.effects).toEqual([`armAlarm ${t0 + 800}`]);
    expectEnd(send(replaced, stopped(t0 + 760)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('what replaced the cause is not replaced again', () => {
    const end = send(
      stopping,
      cancel(t0 + 710),
      interrupt(t0 + 711),
      cancel(t0 + 712, 'b'),
      stopped(t0 + 720),
    );
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

describe('a retry policy that names its codes', () => {
  const all = Object.keys(errorCodes) as ErrorCode[];
  const running = send(begin({ retry: { ...twoAttempts, on: all } }), dispatch(t0));

  test('retries exactly those', () => {
    const on = send(begin({ retry: { ...twoAttempts, on: ['TRAP'] } }), dispatch(t0));
    const off = send(begin({ retry: { ...twoAttempts, on: ['FUNCTION_EXIT'] } }), dispatch(t0));
    expect(send(on, trapped(t0 + 1)).state).toBe('running.backingOff');
    expectEnd(send(off, trapped(t0 + 1)), 'failed', 'TRAP');
  });

  test('does not bring back what a caller cancelled', () => {
    expectEnd(send(running, cancel(t0 + 1), stopped(t0 + 2)), 'cancelled', 'CANCELLED');
  });

  test('does not bring back what a stopping node interrupted', () => {
    expectEnd(send(running, interrupt(t0 + 1), stopped(t0 + 2)), 'failed', 'INTERRUPTED');
  });

  test('does not bring back what reached its output limit, which is one of the whole execution', () => {
    expectEnd(send(running, limit(t0 + 1), stopped(t0 + 2)), 'failed', 'OUTPUT_LIMIT');
  });
});

describe('a final state', () => {
  const ends: readonly Step[] = [
    send(begin(), dispatch(t0), completed(t0 + 1)),
    send(begin(), dispatch(t0), trapped(t0 + 1)),
    send(begin(), alarm(totalDeadline)),
    send(begin(), cancel(t0)),
  ];

  test.each(ends.map((end) => [end.state, end] as const))('%s: nothing changes it any more', (_, end) => {
    for (const event of [
      dispatch(t0 + 2),
      alarm(totalDeadline + 1),
      completed(t0 + 2),
      trapped(t0 + 2),
      limit(t0 + 2),
      cancel(t0 + 2),
      interrupt(t0 + 2),
    ]) {
      const after = send(end, event);
      expect(after.snapshot).toBe(end.snapshot);
      expect(after.effects).toEqual([]);
    }
  });
});

function expectEnd(step: Step, state: string, code: ErrorCode): void {
  expect(step.state).toBe(state);
  expect(step.snapshot.status).toBe('done');
  expect(step.snapshot.context.outcome).toMatchObject({ status: state, code });
}
