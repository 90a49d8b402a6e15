/** What a schedule does when the clock comes to it, whatever the clock does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dueOf, isSetBack, type Plan, plan, retryAt } from '../../../src/domain/schedule/plan.ts';
import { bounded, instantsOf, intervalRecurrence } from '../../../src/domain/schedule/recurrence.ts';
import { firingId } from '../../../src/domain/schedule/schedule.ts';

const second = 1000;
const recurrenceOf = (everyMs: number) => intervalRecurrence({ kind: 'interval', everyMs, anchor: 0 });
const scheduleOf = (next: number | undefined, rules: object = {}) => ({
  ...(next !== undefined && { next }),
  rules: { name: 'a', catchUpMs: 60 * second, jitterMs: 0, ...rules },
});

/** Looks at the clock at each of those instants, as often as something is due. */
function drive(everyMs: number, looks: readonly number[], rules: object = {}) {
  const recurrence = recurrenceOf(everyMs);
  let next: number | undefined = recurrence.after(0);
  const fired: number[] = [];
  const missed: Plan['missed'][] = [];
  for (const now of looks) {
    for (let more = true; more; ) {
      const planned = plan(scheduleOf(next, rules), recurrence, now);
      if (planned.missed !== undefined) missed.push(planned.missed);
      more = planned.kind === 'fire';
      if (planned.kind === 'fire') fired.push(planned.instant);
      next = planned.next;
    }
  }
  return { fired, missed, next };
}

test('no instant fires twice, each that came fires or is missed, and what fires is not later than is allowed', () => {
  const looks = fc.array(fc.integer({ min: 0, max: 600 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      looks,
      fc.integer({ min: 10, max: 200 }),
      (every, steps, window) => {
        const everyMs = every * second;
        const catchUpMs = window * second;
        const at: number[] = [];
        for (const step of steps) at.push((at.at(-1) ?? 0) + step * second);
        const { fired, missed } = drive(everyMs, at, { catchUpMs });
        expect(fired).toEqual([...new Set(fired)].toSorted((a, b) => a - b));
        const last = at.at(-1) ?? 0;
        const came = instantsOf(recurrenceOf(everyMs), 0, 100_000, last);
        const isMissed = (instant: number) =>
          missed.some((run) => run !== undefined && run.instant <= instant && instant <= run.until);
        for (const instant of came) expect(fired.includes(instant) !== isMissed(instant)).toBe(true);
        for (const instant of fired) {
          const look = at.find((now) => now >= instant) ?? Number.POSITIVE_INFINITY;
          expect(look - instant).toBeLessThanOrEqual(catchUpMs);
        }
      },
    ),
  );
});

test('after a stop, those within the catch-up window fire in their order, and the others are missed as one', () => {
  const { fired, missed } = drive(60 * second, [60 * second, 3600 * second], { catchUpMs: 150 * second });
  expect(fired).toEqual([60, 3480, 3540, 3600].map((at) => at * second));
  expect(missed).toEqual([{ instant: 120 * second, until: 3480 * second - 1, count: 20, more: true }]);
});

test('a clock that is set back a little is waited for, and one that is set back by hours is taken at its word', () => {
  expect(plan(scheduleOf(100 * second), recurrenceOf(second), 50 * second)).toEqual({
    kind: 'wait',
    next: 100 * second,
  });
  expect(isSetBack(10_000 * second, 9000 * second)).toBe(false);
  expect(isSetBack(20_000 * second, 9000 * second)).toBe(true);
});

test('nothing fires before the start and after the end', () => {
  const recurrence = bounded(recurrenceOf(10 * second), { startAt: 95 * second, endAt: 120 * second });
  expect(instantsOf(recurrence, 0, 10)).toEqual([100, 110, 120].map((at) => at * second));
  expect(plan(scheduleOf(120 * second), recurrence, 120 * second)).toEqual({
    kind: 'fire',
    instant: 120 * second,
    next: undefined,
  });
});

test('jitter is the same for the same instant, within its bound, and spread', () => {
  const dues = Array.from(
    { length: 500 },
    (_, index) => dueOf(scheduleOf(0, { jitterMs: 1000 }), index * second) - index * second,
  );
  for (const due of dues) expect(due).toBeGreaterThanOrEqual(0);
  for (const due of dues) expect(due).toBeLessThan(1000);
  expect(dueOf(scheduleOf(0, { jitterMs: 1000 }), second)).toBe(
    dueOf(scheduleOf(0, { jitterMs: 1000 }), second),
  );
  expect(new Set(dues.map((due) => Math.floor(due / 100))).size).toBe(10);
});

test('a firing that is refused for now is tried again within its window, and no longer', () => {
  const schedule = scheduleOf(0);
  expect(retryAt(schedule, 0, 0, 0)).toBe(1000);
  expect(retryAt(schedule, 0, 3, 10_000)).toBe(18_000);
  expect(retryAt(schedule, 0, 9, 10_000)).toBeUndefined();
});

test('the id of a firing is its instant, and that of a trigger is never one of the clock', () => {
  const instant = Date.UTC(2026, 0, 1);
  expect(firingId('a', instant, 'clock')).toBe('schedule/a/2026-01-01T00:00:00Z');
  expect(firingId('a', instant, 'backfill')).toBe('schedule/a/2026-01-01T00:00:00Z');
  expect(firingId('a', instant, 'trigger')).toBe('schedule/a/2026-01-01T00:00:00.000Z');
});
