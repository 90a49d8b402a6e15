import { expect, test } from 'vitest';
import { attemptTime } from '../../../../src/visualizer/page/execution/log/attempt-time.ts';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { type Spans, spansOf } from '../../../../src/visualizer/page/execution/log/spans.ts';
import { Recording } from './recording.ts';
import * as made from './recordings.ts';

function spans(run: Recording): Spans {
  const index = new LogIndex(run.log());
  index.catchUp();
  return spansOf(index.steps);
}

const ends = ({ attempts }: Spans) =>
  attempts.map(({ number, end, code }) => `${number} ${end} ${code}`.trim());
const lanes = ({ stays }: Spans) => stays.map(({ lane, to }) => (to === undefined ? `${lane}…` : lane));

test('each attempt has its end', () => {
  expect(ends(spans(made.completed()))).toEqual(['1 completed']);
  expect(ends(spans(made.failedAfterRetries()))).toEqual(['1 failed', '2 failed', '3 failed FUNCTION_EXIT']);
  expect(ends(spans(made.timedOutWithKill()))).toEqual(['1 timedOut ATTEMPT_TIMEOUT']);
  expect(ends(spans(made.recovered()))).toEqual(['1 lost', '2 completed']);
  expect(ends(spans(made.running()))).toEqual(['1 running']);
});

test('the time in attempts is without the waits between them', () => {
  const run = made.failedAfterRetries();
  const index = new LogIndex(run.log());
  index.catchUp();
  const all = (index.log.last?.time ?? 0) - (index.log.first?.time ?? 0);
  // Queued, and two backoffs with the way to a slot after each.
  expect(attemptTime(index)).toBe(all - 1300 - 2005 - 8005);
});

test('the waits are on their lanes, and what lasts has no end', () => {
  expect(lanes(spans(made.failedAfterRetries()))).toEqual(['queued', 'backoff', 'backoff']);
  expect(lanes(spans(made.running()))).toEqual(['waiting', 'queued']);
  expect(lanes(spans(made.held()))).toEqual(['queued', 'held…']);
});

test('an attempt that is being stopped goes on as the same attempt', () => {
  const [attempt] = spans(made.timedOutWithKill()).attempts;
  expect(attempt?.phases.map(({ kind }) => kind)).toEqual(['run', 'stop']);
  expect(attempt?.phases.at(-1)?.to).toBe(attempt?.to);
});

test('an attempt that is paused goes on after the pause', () => {
  const run = made.suspended().wait(60_000).send({ type: 'resume' }).wait(500);
  run.send({ type: 'attemptEnded', end: { kind: 'completed' }, random: 0 });
  const all = spans(run);
  expect(ends(all)).toEqual(['1 completed']);
  expect(all.attempts[0]?.phases.map(({ kind }) => kind)).toEqual(['run', 'pause', 'run']);
  expect(lanes(all)).toEqual(['queued', 'held']);
});

test('an attempt that was stopped to be held is told apart from one that failed', () => {
  const run = new Recording('stopped').wait(10).dispatch().wait(100).send({ type: 'suspend' }).wait(50);
  run.send({ type: 'attemptEnded', end: { kind: 'stopped', rung: 'terminate' }, random: 0 });
  expect(ends(spans(run))).toEqual(['1 stopped']);
});

test('an attempt that is lost while it is paused ends then, and the execution stays held', () => {
  const run = made.suspended().wait(1000).send({ type: 'lost', message: 'the node stopped' });
  const all = spans(run);
  expect(ends(all)).toEqual(['1 lost']);
  expect(lanes(all)).toEqual(['queued', 'held…']);
});

test('spans neither overlap nor leave a hole', () => {
  for (const make of Object.values(made.recordings)) {
    const run = make();
    const { stays, attempts } = spans(run);
    const all = [...stays.filter(({ state }) => state !== 'running.suspended'), ...attempts];
    all.sort((one, other) => one.from - other.from);
    all.forEach((span, place) => {
      const next = all[place + 1];
      if (next !== undefined && run.state !== 'running.suspended') expect(span.to).toBe(next.from);
    });
  }
});
