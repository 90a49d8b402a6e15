import { describe, expect, test } from 'vitest';
import {
  alarm,
  begin,
  cancel,
  dispatch,
  expectEnd,
  lost,
  mayRunAgain,
  runsOnce,
  type Step,
  send,
  stopped,
  t0,
  totalDeadline,
  trapped,
  twoAttempts,
} from './chart.ts';

/** The attempt is lost at `at`, and the next one begins at once. */
function loseAndRerun(step: Step, at: number): Step {
  return send(step, lost(at), alarm(at), dispatch(at));
}

describe('a lost attempt', () => {
  test('that may run again is due at once, and gives its slot back', () => {
    const step = send(begin({ attemptMs: 700 }), dispatch(t0), lost(t0 + 50));
    expect(step.state).toBe('running.backingOff');
    expect([...step.effects].sort()).toEqual([`armAlarm ${t0 + 50}`, 'releaseSlot']);
    expect(step.snapshot.context).toMatchObject({
      attempt: 1,
      lost: 1,
      recoveries: 1,
      retryAt: t0 + 50,
      attemptDeadline: null,
    });
    const due = send(step, alarm(t0 + 60));
    expect(due.effects).toEqual([`armAlarm ${totalDeadline}`, 'requestSlot']);
    expect(send(due, dispatch(t0 + 70)).snapshot.context).toMatchObject({ attempt: 2 });
  });

  test.each(['rerun', 'reattachOrRerun'] as const)('%s: runs again', (onInterrupt) => {
    const recovery = { onInterrupt, maxRecoveries: 1 };
    expect(send(begin({ recovery }), dispatch(t0), lost(t0 + 50)).state).toBe('running.backingOff');
  });

  test.each(['fail', 'reattachOrFail'] as const)('%s: ends INTERRUPTED, and says why', (onInterrupt) => {
    const recovery = { onInterrupt, maxRecoveries: 3 };
    const end = send(begin({ recovery, retry: twoAttempts }), dispatch(t0), lost(t0 + 50));
    expectEnd(end, 'failed', 'INTERRUPTED');
    expect(end.effects).toEqual(['releaseSlot']);
    expect(end.snapshot.context.outcome).toMatchObject({
      message: 'attempt 1 was lost, and its task does not let it run again: the node stopped',
    });
  });

  test('one more than allowed ends INTERRUPTED, and says how many there were', () => {
    let step = send(begin({ recovery: { ...mayRunAgain, maxRecoveries: 2 } }), dispatch(t0));
    step = loseAndRerun(step, t0 + 10);
    step = loseAndRerun(step, t0 + 20);
    expect(step.snapshot.context).toMatchObject({ attempt: 3, recoveries: 2 });
    const end = send(step, lost(t0 + 30));
    expectEnd(end, 'failed', 'INTERRUPTED');
    expect(end.snapshot.context.outcome).toMatchObject({
      message: 'attempt 3 was lost, and it was the 3rd to be lost, allowed are 2: the node stopped',
    });
  });

  test('where none is allowed the first one ends it', () => {
    const end = send(begin({ recovery: { ...mayRunAgain, maxRecoveries: 0 } }), dispatch(t0), lost(t0 + 1));
    expectEnd(end, 'failed', 'INTERRUPTED');
    expect(end.snapshot.context.outcome).toMatchObject({
      message: expect.stringContaining('the 1st to be lost, allowed are 0'),
    });
  });

  test('what a planned stop leaves behind is run again whatever was lost before, where it may run again at all', () => {
    const planned = { ...lost(t0 + 1), planned: true } as const;
    const recovery = { ...mayRunAgain, maxRecoveries: 0 };
    const step = send(begin({ recovery }), dispatch(t0), planned);
    expect(step.state).toBe('running.backingOff');
    expect(step.snapshot.context).toMatchObject({ lost: 1, recoveries: 0 });
    const never = begin({ recovery: { ...recovery, onInterrupt: 'fail' } });
    expectEnd(send(never, dispatch(t0), planned), 'failed', 'INTERRUPTED');
  });

  test.each([
    [10, '11th'],
    [11, '12th'],
    [12, '13th'],
    [20, '21st'],
    [21, '22nd'],
    [110, '111th'],
  ])('after %i the next is called the %s', (maxRecoveries, ordinal) => {
    let step = send(begin({ recovery: { ...mayRunAgain, maxRecoveries } }), dispatch(t0));
    for (let n = 0; n < maxRecoveries; n++) step = loseAndRerun(step, t0 + 1);
    expect(send(step, lost(t0 + 1)).snapshot.context.outcome).toMatchObject({
      message: expect.stringContaining(`the ${ordinal} to be lost`),
    });
  });

  test('is no try: the retries that the policy allows are still there', () => {
    const again = loseAndRerun(send(begin({ retry: twoAttempts }), dispatch(t0)), t0 + 10);
    const failed = send(again, trapped(t0 + 20));
    expect(failed.state).toBe('running.backingOff');
    const last = send(failed, alarm(t0 + 1000), dispatch(t0 + 1000));
    expect(last.snapshot.context).toMatchObject({ attempt: 3, lost: 1 });
    expectEnd(send(last, trapped(t0 + 1010)), 'failed', 'TRAP');
  });

  test('does not make the delay of the next retry longer', () => {
    const retry = { ...twoAttempts, maxAttempts: 3 };
    const first = send(begin({ retry }), dispatch(t0), trapped(t0));
    const afterLoss = send(loseAndRerun(send(begin({ retry }), dispatch(t0)), t0), trapped(t0));
    expect(afterLoss.snapshot.context.retryAt).toBe(first.snapshot.context.retryAt);
  });

  test('does not extend the total timeout', () => {
    const step = send(begin(), dispatch(t0), lost(t0 + 50));
    expect(step.snapshot.context.totalDeadline).toBe(totalDeadline);
    expectEnd(send(step, alarm(totalDeadline)), 'timedOut', 'TOTAL_TIMEOUT');
  });

  test('that was being stopped ends as it was asked to: nothing of it is left', () => {
    for (const recovery of [mayRunAgain, runsOnce]) {
      const end = send(begin({ recovery }), dispatch(t0), cancel(t0 + 10), stopped(t0 + 900, 'restart'));
      expectEnd(end, 'cancelled', 'CANCELLED');
      expect(end.snapshot.context.outcome).toMatchObject({ termination: { rung: 'restart', tookMs: 890 } });
    }
  });

  test('means nothing where none runs: pending, backing off, being stopped', () => {
    const running = send(begin({ retry: twoAttempts }), dispatch(t0));
    for (const step of [
      begin(),
      begin({ startAt: t0 + 500 }),
      send(running, trapped(t0 + 5)),
      send(running, cancel(t0 + 5)),
    ]) {
      expect(send(step, lost(t0 + 10)).snapshot).toBe(step.snapshot);
    }
  });
});
