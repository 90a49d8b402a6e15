import { expect, test } from 'vitest';
import { Overload } from '../../../src/domain/scheduling/overload.ts';

const rule = { targetMs: 100, intervalMs: 1000 };

/** One begins every `everyMs` from `from` to `to`, after so long a wait each. */
function begin(overload: Overload, waitedMs: number, from: number, to: number, everyMs = 50): void {
  for (let at = from; at < to; at += everyMs) overload.began(waitedMs, at);
}

test('a burst that is over within an interval is no overload', () => {
  const overload = new Overload(rule);
  begin(overload, 900, 0, 900);
  overload.began(20, 950);
  expect(overload.isOver(1000)).toBe(false);
  begin(overload, 900, 1000, 1900);
  expect(overload.isOver(1999)).toBe(false);
});

test('where nobody waited less than the target for an interval, it is over, until somebody does', () => {
  const overload = new Overload(rule);
  begin(overload, 101, 0, 1000);
  expect(overload.isOver(999)).toBe(false);
  expect(overload.isOver(1000)).toBe(true);
  begin(overload, 500, 1000, 2000);
  expect(overload.isOver(2000)).toBe(true);
  overload.began(100, 2001);
  expect(overload.isOver(2001)).toBe(false);
});

test('where nobody begins at all, it is over after an interval', () => {
  const overload = new Overload(rule);
  expect(overload.isOver(0)).toBe(false);
  expect(overload.isOver(999)).toBe(false);
  expect(overload.isOver(1000)).toBe(true);
});

test('a rest ends it, and the next interval begins when it is asked again', () => {
  const overload = new Overload(rule);
  begin(overload, 200, 0, 1100);
  expect(overload.isOver(1100)).toBe(true);
  overload.rest();
  expect(overload.isOver(5000)).toBe(false);
  expect(overload.isOver(5999)).toBe(false);
});
