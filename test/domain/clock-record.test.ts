import { describe, expect, test } from 'vitest';
import {
  type Mark,
  type Moment,
  marked,
  passedSince,
  timeOfWall,
  wallBefore,
} from '../../src/domain/clock-record.ts';

const hourMs = 3_600_000;
const start: Mark = { time: 1000 * hourMs, wall: 1000 * hourMs, seen: 0, earlyMs: 0 };

function later(from: Moment, ms: number, setMs = 0): Moment {
  return { time: from.time + ms, wall: from.wall + ms + setMs, seen: from.seen + ms };
}

/** The marks after some time with one step in it, and the moment at which that ends. */
function withStep(setMs: number, beforeMs: number, afterMs: number) {
  const before = later(start, beforeMs);
  const step = later(before, 0, setMs);
  const now = later(step, afterMs);
  return { marks: marked([start], before, step), step, now };
}

describe('marks', () => {
  test('what runs alike, or differs by no more than two looks do, makes none', () => {
    const marks = [start];
    for (const setMs of [0, 50, -50]) expect(marked(marks, start, later(start, 5000, setMs))).toBe(marks);
  });

  test('small steps that add up make one', () => {
    let marks: readonly Mark[] = [start];
    let now: Moment = start;
    for (let n = 0; n < 5; n++) {
      const before = now;
      now = later(now, 1000, 60);
      marks = marked(marks, before, now);
    }
    expect(marks.length).toBeGreaterThan(1);
    expect(timeOfWall(marks, now, now.wall)).toBeCloseTo(now.time, -2);
  });

  test('a clock that is set all the time keeps their number bounded, and nothing is taken for older than it is', () => {
    let marks: readonly Mark[] = [start];
    let now: Moment = start;
    const shown: Moment[] = [];
    for (let n = 0; n < 1000; n++) {
      const before = now;
      now = later(now, 60_000, (n % 7) * hourMs - 3 * hourMs);
      marks = marked(marks, before, now);
      shown.push(now);
    }
    expect(marks.length).toBeLessThanOrEqual(100);
    for (const ageMs of [hourMs, 3 * hourMs, 8 * hourMs, 15 * hourMs]) {
      const limit = wallBefore(marks, now, ageMs) ?? 0;
      for (const moment of shown) {
        if (moment.wall < limit) expect(now.seen - moment.seen).toBeGreaterThanOrEqual(ageMs);
      }
    }
  });
});

describe('an age', () => {
  test('is believed as far as time was seen, and no further', () => {
    const now = later(start, hourMs);
    expect(wallBefore([start], now, hourMs + 1)).toBeUndefined();
    expect(wallBefore([start], now, hourMs)).toBe(start.wall);
    expect(wallBefore([start], now, 1000)).toBe(now.wall - 1000);
  });

  test.for([25 * hourMs, 1e6 * hourMs])(
    'of a clock that was set forward by %i ms is that before the step',
    (setMs) => {
      const { marks, step, now } = withStep(setMs, 30 * hourMs, hourMs);
      expect(wallBefore(marks, now, 24 * hourMs)).toBe(start.wall + 7 * hourMs);
      expect(wallBefore(marks, now, 30 * 60_000)).toBe(step.wall + 30 * 60_000);
    },
  );

  test('of a clock that was set back waits until the time before is as old', () => {
    const { marks, step, now } = withStep(-25 * hourMs, 48 * hourMs, hourMs);
    expect(wallBefore(marks, now, 24 * hourMs)).toBe(step.wall);
    expect(wallBefore(marks, later(step, 24 * hourMs), 24 * hourMs)).toBe(step.wall);
    expect(wallBefore(marks, later(step, 25 * hourMs), 24 * hourMs)).toBe(step.wall + hourMs);
  });

  test('of what bears a time from between the step back and the look that saw it is not more than it is', () => {
    const before = later(start, 48 * hourMs);
    const seen = later(before, 1000, -25 * hourMs);
    const marks = marked([start], before, seen);
    // Written right after the step, which nobody had seen yet.
    expect(wallBefore(marks, later(seen, 5000), 24 * hourMs)).toBeLessThanOrEqual(seen.wall - 1000);
  });
});

describe('the time of what the wall clock showed', () => {
  test('is the latest at which it did', () => {
    const { marks, step, now } = withStep(-hourMs, 3 * hourMs, 10 * 60_000);
    expect(timeOfWall(marks, now, step.wall)).toBe(step.time);
    expect(timeOfWall(marks, now, now.wall)).toBe(now.time);
    // It has not shown this again yet.
    expect(timeOfWall(marks, now, step.wall + 30 * 60_000)).toBe(step.time - 30 * 60_000);
  });

  test('that it showed between the last look and the crash is exact, though it was set before the next one', () => {
    const looked = later(start, hourMs);
    const crashed = later(looked, 25_000);
    for (const setMs of [hourMs, -hourMs]) {
      const started = later(crashed, 5000, setMs);
      const marks = marked([start], looked, started);
      expect(timeOfWall(marks, later(started, 1000), crashed.wall)).toBe(crashed.time);
      expect(timeOfWall(marks, later(started, 1000), started.wall)).toBe(started.time);
    }
  });

  test('that it skipped is that of the step', () => {
    const { marks, step, now } = withStep(hourMs, 3 * hourMs, 10 * 60_000);
    expect(timeOfWall(marks, now, step.wall - 1000)).toBe(step.time);
  });

  test('from before the record, and from after now', () => {
    const { marks, now } = withStep(hourMs, 3 * hourMs, 10 * 60_000);
    expect(timeOfWall(marks, now, start.wall - 5000)).toBe(start.time - 5000);
    expect(timeOfWall(marks, now, now.wall + 5000)).toBe(now.time);
  });
});

describe('the time that passed since a record', () => {
  const record = { last: start, uptime: { boot: 'a', ms: 5000 } };

  test('of the same boot is what the machine counted, whatever the wall clock says', () => {
    const uptime = { boot: 'a', ms: 8000 };
    for (const wall of [0, start.wall + 3000, 2 * start.wall]) {
      expect(passedSince(record, { wall, uptime })).toEqual({ ms: 3000, seenMs: 3000 });
    }
  });

  test.for([
    ['another boot', { boot: 'b', ms: 8000 }],
    ['a machine that counts less than it did', { boot: 'a', ms: 4000 }],
    ['a machine that does not say', { boot: '', ms: 8000 }],
  ] as const)(
    'of %s is what the wall clock says, but not less than nothing, and nobody saw it',
    ([, uptime]) => {
      const own = uptime.boot === '' ? { ...record, uptime: { boot: '', ms: 5000 } } : record;
      expect(passedSince(own, { wall: start.wall + 700, uptime })).toEqual({ ms: 700, seenMs: 0 });
      expect(passedSince(own, { wall: start.wall - 700, uptime })).toEqual({ ms: 0, seenMs: 0 });
    },
  );
});
