import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogIndex } from '../../../../src/visualizer/page/execution/log/log-index.ts';
import { ticksOf } from '../../../../src/visualizer/page/execution/timeline/axis.ts';
import { densityOf } from '../../../../src/visualizer/page/execution/timeline/density.ts';
import { gapsOf } from '../../../../src/visualizer/page/execution/timeline/gaps.ts';
import { type Gap, scaleOf } from '../../../../src/visualizer/page/execution/timeline/scale.ts';
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
  expect(scale.place(hour)).toBeLessThan(0.1);
  expect(scale.pieces.filter(({ compressed }) => compressed)).toHaveLength(1);
  expect(scaleOf(0, hour + 2000, gaps, false).place(hour)).toBeGreaterThan(0.99);
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
