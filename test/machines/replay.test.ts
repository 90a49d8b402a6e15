/** An execution's machine, made again from what its log says. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { executionChartVersion, executionMachine, statePath } from '../../src/machines/execution.ts';
import type { ExecutionContext, ExecutionEvent } from '../../src/machines/execution-context.ts';
import { SnapshotIncompatible } from '../../src/machines/migrations.ts';
import {
  type LoggedChange,
  machineStates,
  persisted,
  replay,
  snapshotOf,
} from '../../src/machines/replay.ts';
import { contextFromStored, storedContext } from '../../src/machines/stored-context.ts';
import { events, input } from './arbitrary.ts';
import {
  alarm,
  cancel,
  completed,
  dispatch,
  inputWith,
  lost,
  paused,
  resume,
  type Step,
  send,
  stopped,
  suspend,
  t0,
  trapped,
  twoAttempts,
} from './chart.ts';
import { hasAttempt } from './graph.ts';
import { RecordedChart } from './recorded.ts';

/** That a retry has come due is not written down: of one that is made again it comes due again. */
function butRetryAt({ retryAt: _, ...context }: ExecutionContext): Omit<ExecutionContext, 'retryAt'> {
  return context;
}

function isPossible(event: ExecutionEvent, { snapshot }: Step): boolean {
  return !((event.type === 'attemptEnded' || event.type === 'lost') && !hasAttempt(snapshot));
}

test('whatever has happened, its log makes the same machine again, and the record says the same', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(input, events, (more, sequence) => {
      const chart = new RecordedChart(more);
      for (const event of sequence) {
        if (!isPossible(event, chart.step)) continue;
        const { snapshot } = chart.send(event).step;
        if (snapshot.status === 'done') break;
        const { context } = snapshot;
        const again = replay(chart.changes);
        seen.add(again.state);
        expect(again.state).toBe(statePath(snapshot));
        expect(butRetryAt(again.context)).toEqual(butRetryAt(context));
        if (context.retryAt === null && again.context.retryAt !== null) {
          expect(again.context.retryAt).toBeLessThanOrEqual(event.at);
        } else expect(again.context.retryAt).toBe(context.retryAt);
        const { record } = chart;
        expect(record).toMatchObject({ state: again.state, attempt: context.attempt });
        expect(record.deadlines.total).toBe(context.totalDeadline);
        if (context.startAt !== null) expect(record.deadlines.startAt).toBe(context.startAt);
        expect(record.recoveries ?? 0).toBe(context.recoveries);
      }
    }),
    { numRuns: 1500 },
  );
  expect(seen.size).toBe(8);
});

test('what is made again goes on as the one that it was made from', () => {
  const ends = new Set<string>();
  fc.assert(
    fc.property(input, events, fc.nat({ max: 20 }), (more, sequence, cut) => {
      const chart = new RecordedChart(more);
      const before = sequence.slice(0, cut);
      for (const event of before) if (isPossible(event, chart.step)) chart.send(event);
      if (chart.step.snapshot.status === 'done') return;
      let live = chart.step;
      let again: Step = { ...live, snapshot: snapshotOf(replay(chart.changes)), effects: [] };
      for (const event of sequence.slice(cut)) {
        if (!isPossible(event, live)) continue;
        const sameRetry = live.snapshot.context.retryAt === again.snapshot.context.retryAt;
        live = send(live, event);
        again = send(again, event);
        if (sameRetry) expect(again.effects).toEqual(live.effects);
        expect(again.state).toBe(live.state);
        expect(butRetryAt(again.snapshot.context)).toEqual(butRetryAt(live.snapshot.context));
      }
      if (live.snapshot.status === 'done') ends.add(live.state);
    }),
    { numRuns: 1500 },
  );
  expect([...ends].sort()).toEqual(['cancelled', 'completed', 'failed', 'timedOut']);
});

test('the steps of a log end in the machine that it makes, each in the state that its change says', () => {
  const { changes } = new RecordedChart(inputWith({ retry: twoAttempts })).send(
    dispatch(t0),
    trapped(t0 + 5),
    cancel(t0 + 6, 'enough'),
  );
  const steps = [...machineStates(changes)];
  expect(steps.map(({ state }) => state)).toEqual(changes.map(({ to }) => to));
  expect(steps.map(({ context }) => context.attempt)).toEqual(changes.map((_, index) => Math.min(index, 1)));
  const { state, context } = replay(changes);
  expect(steps.at(-1)).toEqual({ state, context: expect.objectContaining({ retryAt: context.retryAt }) });
});

describe('a change that no transition of states tells is in the log all the same', () => {
  const running = () =>
    new RecordedChart(inputWith({ attemptMs: 700, retry: twoAttempts })).send(dispatch(t0));

  test.each([
    ['a cancel of what is stopped for its timeout', [alarm(t0 + 700), cancel(t0 + 710, 'enough')]],
    ['a resume of what is stopped to be held', [suspend(t0 + 5), resume(t0 + 6)]],
    ['the loss of what is suspended', [paused(t0 + 5), lost(t0 + 6)]],
    ['the end of an attempt that stands still', [paused(t0 + 5), stopped(t0 + 6)]],
  ] as const)('%s', (_, sequence) => {
    const chart = running().send(...sequence);
    expect(chart.changes.at(-1)?.to).toBe(chart.changes.at(-2)?.to);
    expect(replay(chart.changes).context).toEqual(chart.step.snapshot.context);
  });

  test('the coming due of a retry is not: it comes due again', () => {
    const chart = running().send(trapped(t0 + 5));
    const count = chart.changes.length;
    chart.send(alarm(t0 + 205));
    expect(chart.changes).toHaveLength(count);
    expect(chart.step.snapshot.context.retryAt).toBeNull();
    expect(replay(chart.changes).context.retryAt).toBe(t0 + 205);
    // Its next transition says so.
    chart.send(dispatch(t0 + 210));
    expect(replay(chart.changes).context.retryAt).toBeNull();
  });
});

test('the patch of a reason that is too long stays within 4 KiB, and what was asked for is not lost', () => {
  const chart = new RecordedChart(inputWith()).send(dispatch(t0), cancel(t0 + 5, '\u{1F980}'.repeat(5000)));
  const [, , stopping] = chart.changes;
  expect(Buffer.byteLength(stopping?.contextPatch ?? '')).toBeLessThanOrEqual(4096);
  const { state, context } = replay(chart.changes);
  expect(state).toBe('running.stopping');
  expect(context).toMatchObject({
    cause: { code: 'CANCELLED', message: expect.stringMatching(/^cancelled: \u{1F980}/u) },
    stopDeadline: chart.step.snapshot.context.stopDeadline,
  });
  const end = send({ ...chart.step, snapshot: snapshotOf(replay(chart.changes)) }, stopped(t0 + 9));
  expect(end.state).toBe('cancelled');
});

describe('what cannot be made again is SnapshotIncompatible, and says why', () => {
  const [first, second] = new RecordedChart(inputWith()).send(dispatch(t0)).changes as [
    LoggedChange,
    LoggedChange,
  ];

  function refusal(...changes: readonly LoggedChange[]): string {
    try {
      snapshotOf(replay(changes));
    } catch (error) {
      expect(error).toBeInstanceOf(SnapshotIncompatible);
      return (error as Error).message;
    }
    throw new Error('it was made');
  }

  test.each(['{', 'null', '7', '"text"', '[1]', '{"attempt":'])('a patch that is %s', (contextPatch) => {
    expect(refusal(first, { ...second, contextPatch })).toContain('a change of its context is not');
  });

  test('an unknown version, whichever event has it', () => {
    const newer = { chartVersion: executionChartVersion + 1 };
    const message = `this node knows 1 to ${executionChartVersion}`;
    expect(refusal({ ...first, ...newer }, { ...second, ...newer })).toContain(message);
    expect(refusal(first, { ...second, ...newer })).toContain(message);
    for (const chartVersion of [0, -1, 1.5, Number.NaN]) {
      expect(refusal({ ...first, chartVersion })).toContain(message);
    }
  });

  test('versions that run backwards', () => {
    expect(refusal(first, { ...second, chartVersion: 1 })).toBe('its chart versions run backwards');
  });

  test('a log without transitions, without its first one, or whose first one left its context out', () => {
    expect(refusal()).toContain('its log gives no attempt');
    expect(refusal(second)).toContain('its log gives no totalMs');
    expect(refusal({ ...first, contextPatch: '' }, second)).toContain('its log gives no totalMs');
  });

  test.each(['totalMs', 'totalDeadline', 'graceMs', 'attempt', 'lost', 'recoveries'])(
    'a %s that is not a number',
    (key) => {
      expect(refusal(first, { ...second, contextPatch: `{"${key}":"12"}` })).toContain(key);
    },
  );

  test.each(['', 'nowhere', 'running.nowhere', 'pending.queued.deep', 'running', 'pending', '__proto__'])(
    'a state that is %j',
    (to) => {
      expect(refusal(first, { ...second, to })).toContain('is not one of this chart');
    },
  );
});

test('the snapshot that goes into a document is the same machine as XState persists it', () => {
  const chart = new RecordedChart(inputWith({ attemptMs: 700 })).send(dispatch(t0), paused(t0 + 5));
  const document = JSON.parse(JSON.stringify(persisted(replay(chart.changes))));
  expect(document).toMatchObject({ status: 'active', value: { running: 'suspended' } });
  expect(document.context).toEqual(storedContext(chart.step.snapshot.context));
  const context = contextFromStored(document.context);
  const resolved = executionMachine.resolveState({ ...document, context });
  expect(send({ ...chart.step, snapshot: resolved as Step['snapshot'] }, completed(t0 + 9)).state).toBe(
    'completed',
  );
});
