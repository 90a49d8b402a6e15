import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { ticksOf } from '../../../../src/visualizer/page/execution/timeline/axis.ts';
import {
  type Bar,
  wideningOf,
  wideningText,
} from '../../../../src/visualizer/page/execution/timeline/bars.ts';
import {
  drawnLengths,
  type Gap,
  lengthOf,
} from '../../../../src/visualizer/page/execution/timeline/compression.ts';
import { densityOf } from '../../../../src/visualizer/page/execution/timeline/density.ts';
import { gapsOf } from '../../../../src/visualizer/page/execution/timeline/gaps.ts';
import { scaleOf } from '../../../../src/visualizer/page/execution/timeline/scale.ts';
import { panned, whole, zoomed } from '../../../../src/visualizer/page/execution/timeline/window.ts';
import { EventLog } from '../../../../src/visualizer/page/model/event-log.ts';
import type { LogEvent } from '../../../../src/visualizer/page/model/log-event.ts';
import { failedAfterRetries } from './recordings.ts';

function indexOf(log: EventLog): LogIndex {
  const index = new LogIndex(log);
  index.catchUp();
  return index;
}

test('instants keep their order, and each place leads back to its instant', () => {
  const instants = fc.array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(instants, fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), (times, busy) => {
      const sorted = [...new Set(times)].sort((one, other) => one - other);
      const from = sorted[0] as number;
      const to = sorted.at(-1) as number;
      const gaps: Gap[] = sorted
        .slice(1)
        .map((time, place) => ({ from: sorted[place] as number, to: time, busy: busy[place] ?? false }));
      const scale = scaleOf(from, to, gaps, true);
      let last = -1;
      for (const time of sorted) {
        const place = scale.place(time);
        expect(place).toBeGreaterThanOrEqual(last);
        last = place;
        expect(Math.abs(scale.time(place) - time)).toBeLessThanOrEqual(Math.max(1, (to - from) * 1e-6));
      }
      expect(scale.place(from)).toBe(0);
      expect(scale.pieces.at(-1)?.end).toBeCloseTo(1, 9);
    }),
  );
});

test('an hour of waiting before two seconds of work is drawn short, and marked', () => {
  const hour = 3_600_000;
  const gaps = [
    { from: 0, to: hour, busy: false },
    { from: hour, to: hour + 900, busy: true },
    { from: hour + 900, to: hour + 2000, busy: true },
  ];
  const scale = scaleOf(0, hour + 2000, gaps, true);
  expect(scale.place(hour)).toBeLessThan(0.13);
  expect(scale.pieces.filter(({ compressed }) => compressed)).toHaveLength(1);
  expect(scaleOf(0, hour + 2000, gaps, false).place(hour)).toBeGreaterThan(0.99);
});

/** Gaps one after another, with time between them. */
function gapsFor(
  lengths: readonly number[],
  between: number,
  busy: (place: number) => boolean = () => false,
): Gap[] {
  let at = 0;
  return lengths.map((length, place) => {
    const gap = { from: at, to: at + length, busy: busy(place) };
    at = gap.to + between;
    return gap;
  });
}

test('equal waits look equal, and a longer one never looks shorter', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 60 });
  const kinds = fc.array(fc.boolean(), { minLength: 60, maxLength: 60 });
  fc.assert(
    fc.property(lengths, kinds, fc.integer({ min: 0, max: 5000 }), (each, busy, between) => {
      const gaps = gapsFor([...each, ...each], between, (place) => busy[place % each.length] ?? false);
      const drawn = drawnLengths((gaps.at(-1)?.to ?? 0) + between, gaps);
      for (const kind of [true, false]) {
        const sorted = gaps
          .filter((gap) => gap.busy === kind)
          .sort((one, other) => lengthOf(one) - lengthOf(other));
        sorted.slice(1).forEach((gap, place) => {
          const shorter = sorted[place] as Gap;
          expect(drawn(gap)).toBeGreaterThanOrEqual(drawn(shorter));
          if (lengthOf(gap) === lengthOf(shorter)) expect(drawn(gap)).toBe(drawn(shorter));
          expect(drawn(gap)).toBeGreaterThan(0);
        });
      }
    }),
  );
});

test.each([
  ['three backoffs of two minutes', [112_000, 119_000, 116_000], 30],
  ['a short wait and a long one', [344, 2700, 61], 40],
  ['forty backoffs', Array.from({ length: 40 }, () => 30_000), 20],
])('%s leave room for what happened', (_, lengths, between) => {
  const gaps = gapsFor(lengths, between);
  const whole = (gaps.at(-1)?.to ?? 0) + between;
  const drawn = drawnLengths(whole, gaps);
  const idle = gaps.reduce((sum, gap) => sum + drawn(gap), 0);
  expect(idle / (idle + lengths.length * between)).toBeLessThanOrEqual(0.6 + 1e-9);
  const shown = gaps.map(drawn);
  if (lengths.length === 3 && Math.min(...lengths) > 1000) expect(new Set(shown).size).toBe(1);
});

test('what is drawn wider than its time says how much, and an attempt in which nothing was written is not idle', () => {
  const scale = scaleOf(0, 2301, [{ from: 0, to: 2300, busy: false }], true);
  const bar = { from: 2300, to: 2301 } as Bar;
  const times = wideningOf(bar, scale, 2301) as number;
  expect(times).toBeGreaterThan(1000);
  expect(wideningText(times)).toMatch(/^drawn [12],\d{3}× wider than its time$/);
  // The wait beside it is drawn shorter than it was, and what is drawn to scale says nothing.
  expect(wideningOf({ from: 0, to: 2300 } as Bar, scale, 2301)).toBeUndefined();
  const even = scaleOf(0, 2301, [{ from: 0, to: 2300, busy: false }], false);
  expect(wideningOf(bar, even, 2301)).toBeUndefined();

  const silent = { from: 0, to: 60_000, busy: true };
  const wait = { from: 60_000, to: 65_000, busy: false };
  const { pieces } = scaleOf(0, 68_000, [silent, wait], true);
  expect(pieces.filter(({ compressed }) => compressed).map(({ from, idle }) => [from, idle])).toContainEqual([
    60_000,
    true,
  ]);
  expect(pieces.filter(({ from, idle }) => from < 60_000 && idle)).toEqual([]);
});

test('an attempt that ran a minute and wrote nothing keeps its length', () => {
  const gaps = [
    { from: 0, to: 3, busy: false },
    { from: 3, to: 60_003, busy: true },
  ];
  expect(scaleOf(0, 60_003, gaps, true).pieces.every(({ compressed }) => !compressed)).toBe(true);
});

test('the backoffs of a log are its gaps', () => {
  const index = indexOf(failedAfterRetries().log());
  const from = index.log.first?.time ?? 0;
  const to = index.log.last?.time ?? 0;
  const scale = scaleOf(from, to, gapsOf(index, from, to), true);
  const lengths = scale.pieces.filter(({ compressed }) => compressed).map((piece) => piece.to - piece.from);
  expect(lengths.every((length) => length >= 2000)).toBe(true);
  expect(lengths.length).toBe(2);
});

test('no byte of output is lost between the bars, however many chunks there are', () => {
  const log = new EventLog();
  const events: LogEvent[] = [];
  for (let sequence = 1; sequence <= 100_000; sequence += 1) {
    const head = {
      sequence,
      position: sequence,
      time: 1000 + sequence,
      status: 'running',
      attempt: 1,
    } as const;
    const stream = sequence % 4 === 0 ? 'stderr' : 'stdout';
    events.push({ ...head, kind: 'chunk', chunk: { stream, data: new Uint8Array(sequence % 7) } });
  }
  log.append(events);
  const index = indexOf(log);
  const scale = scaleOf(1001, 101_000, [], false);
  const { stdout, stderr } = densityOf(index, scale, 0, 1, 333);
  const sum = (bars: Float64Array) => bars.reduce((one, other) => one + other, 0);
  expect(sum(stdout) + sum(stderr)).toBe(index.outputBytes);
  expect(stdout).toHaveLength(333);
});

test('marks of time are round, ascend and do not crowd', () => {
  const scale = scaleOf(0, 18_700, [{ from: 4000, to: 12_000, busy: false }], true);
  const ticks = ticksOf(scale, 0, 1, 0.07);
  ticks.slice(1).forEach((tick, place) => {
    expect(tick.place - (ticks[place]?.place ?? 0)).toBeGreaterThanOrEqual(0.07);
    expect(tick.time % 100).toBe(0);
  });
  expect(ticks[0]?.text).toBe('0');
});

test('marks that are close together have texts that differ', () => {
  // A few milliseconds at work, long after the beginning: in seconds, in minutes and in hours.
  for (const idle of [7_350, 32_830, 95_004, 7_265_123]) {
    const scale = scaleOf(0, idle + 12, [{ from: 6, to: idle, busy: false }], true);
    const texts = ticksOf(scale, 0, 1, 0.07).map(({ text }) => text);
    expect(texts.length).toBeGreaterThan(3);
    expect(new Set(texts).size, texts.join(', ')).toBe(texts.length);
  }
});

test('a mark of time leaves the compressed piece after it its place', () => {
  const gap = { from: 6, to: 1406, busy: false };
  const scale = scaleOf(0, 1450, [gap], true);
  const start = scale.place(gap.from);
  const end = scale.place(gap.to);
  expect(scale.pieces[1]).toMatchObject({ from: 6, to: 1406, compressed: true });
  // A text of the axis has 6.2 pixels for a sign, and begins 4 after its mark.
  const apart = 86 / 900;
  const window = { start: 0, end: 0.3 };
  const ticks = ticksOf(scale, window.start, window.end, apart * window.end);
  expect(ticks.length).toBeGreaterThan(0);
  for (const { place, text } of ticks) {
    const over = place + ((4 + 6.2 * text.length) / 900) * window.end;
    expect(over <= start || place >= end).toBe(true);
  }
});

test('what is zoomed keeps the place under the pointer, and never leaves the picture', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.double({ min: 0.1, max: 10, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        {
          maxLength: 20,
        },
      ),
      (zooms) => {
        let window = whole;
        for (const [factor, share] of zooms) {
          window = zoomed(window, factor, window.start + share * (window.end - window.start));
          window = panned(window, share - 0.5);
          expect(window.start).toBeGreaterThanOrEqual(0);
          expect(window.end).toBeLessThanOrEqual(1 + 1e-9);
          expect(window.end).toBeGreaterThan(window.start);
        }
      },
    ),
  );
  const { start, end } = zoomed(whole, 0.5, 0.25);
  expect(start + (end - start) * 0.25).toBeCloseTo(0.25, 9);
});
