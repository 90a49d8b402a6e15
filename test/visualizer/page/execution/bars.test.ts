import { expect, test } from 'vitest';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { barsAt, laterBars, timesOf } from '../../../../src/visualizer/page/execution/timeline/bars.ts';
import type { Recording } from './recording.ts';
import { completed, failedAfterRetries } from './recordings.ts';

function indexOf(run: Recording): LogIndex {
  const index = new LogIndex(run.log());
  index.catchUp();
  return index;
}

test('an attempt is running at every event before its end, and says nothing of it', () => {
  const index = indexOf(completed());
  const end = barsAt(index, undefined).find(({ lane }) => lane === 'attempts');
  expect(end).toMatchObject({ word: 'Attempt 1: completed', tone: 'completed', shape: 'check' });
  const at = index.log.lastSequence - 1;
  const now = index.log.at(index.log.indexOf(at))?.time as number;
  const bar = barsAt(index, at).find(({ lane }) => lane === 'attempts');
  expect(bar).toMatchObject({ word: 'Attempt 1: running', tone: 'running', shape: 'arc', to: undefined });
  expect(timesOf(bar as NonNullable<typeof bar>, index.log.first?.time as number, now)).toMatch(/^since /);
});

test('what comes after an event has a place, and neither a word nor an outcome', () => {
  const index = indexOf(failedAfterRetries());
  const all = barsAt(index, undefined);
  const second = all.filter(({ lane }) => lane === 'attempts')[1] as (typeof all)[number];
  const known = barsAt(index, second.sequence);
  expect(known.every(({ sequence }) => sequence <= second.sequence)).toBe(true);
  const later = laterBars(all, second.from);
  expect(later.every(({ from }) => from >= second.from)).toBe(true);
  expect(later.map(({ lane }) => lane)).toEqual(['attempts', 'backoff', 'attempts']);
  expect(Object.keys(later[0] as object).sort()).toEqual(['from', 'key', 'lane', 'sequence', 'to']);
  expect(laterBars(all, index.log.last?.time as number)).toEqual([]);
  expect(barsAt(index, 0)).toEqual([]);
});
