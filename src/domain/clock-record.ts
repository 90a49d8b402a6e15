/**
 * What a node knows of the time, and leaves for its next run.
 *
 * - `time` is what deadlines count in. It is the wall clock's until that is set; from then on it goes on as if it had
 *   not been.
 * - `seen` is the time that has certainly passed since the record was begun: what nobody saw, because the machine was
 *   off, is not in it. What is deleted by its age counts in it.
 * - From one mark to the next all three run alike. A mark is made where they do not: the wall clock was set, or the
 *   machine was off.
 */
import type { Uptime } from './clock.ts';

/** One moment on each of the three; in milliseconds, `time` and `wall` since the epoch. */
export interface Moment {
  readonly time: number;
  readonly wall: number;
  readonly seen: number;
}

/** From here on they run alike; it was seen at this moment, and may have come earlier by so much. */
export interface Mark extends Moment {
  readonly earlyMs: number;
}

export interface ClockRecord {
  /** Oldest first, at least one. */
  readonly marks: readonly Mark[];
  /** When the record was made. */
  readonly last: Moment;
  readonly uptime: Uptime;
}

/** Below this a difference is that of two looks at two clocks. */
export const leastStepMs = 100;
/** A wall clock that is set all the time must not fill the record. */
const mostMarks = 100;

/** The marks once `now` has been looked at, after `before`; the same list where all ran alike since. */
export function marked(marks: readonly Mark[], before: Moment, now: Moment): readonly Mark[] {
  const last = marks.at(-1);
  if (last === undefined) return [{ ...now, earlyMs: 0 }];
  const passed = now.seen - last.seen;
  const wallStep = Math.abs(now.wall - last.wall - passed);
  const timeStep = Math.abs(now.time - last.time - passed);
  if (wallStep < leastStepMs && timeStep < leastStepMs) return marks;
  return bounded([...marks, { ...now, earlyMs: now.seen - before.seen }]);
}

/** The two oldest become one that takes nothing for older than they do. */
function bounded(marks: readonly Mark[]): readonly Mark[] {
  const [first, second, ...rest] = marks;
  if (marks.length <= mostMarks || first === undefined || second === undefined) return marks;
  return [{ ...first, wall: Math.min(first.wall, second.wall - (second.seen - first.seen)) }, ...rest];
}

/**
 * What bears an earlier wall-clock time than this is older than `ageMs`, for certain; undefined where so much time has
 * not been seen yet. What the clock showed while it may or may not have been set already is taken for the later.
 */
export function wallBefore(marks: readonly Mark[], now: Moment, ageMs: number): number | undefined {
  const since = now.seen - ageMs;
  let least: number | undefined;
  for (const [index, mark] of marks.entries()) {
    if (index === 0 && mark.seen > since) return undefined;
    const end = marks[index + 1]?.seen ?? Number.POSITIVE_INFINITY;
    if (end <= since) continue;
    const wall = mark.wall + Math.max(-mark.earlyMs, since - mark.seen);
    if (least === undefined || wall < least) least = wall;
  }
  return least;
}

/** When it was that the wall clock showed `wall`: the latest such time where it did so twice. */
export function timeOfWall(marks: readonly Mark[], now: Moment, wall: number): number {
  let skipped: number | undefined;
  let end = now.time;
  for (const [index, mark] of [...marks.entries()].reverse()) {
    const time = mark.time + (wall - mark.wall);
    if (wall >= mark.wall - mark.earlyMs || index === 0) {
      if (time <= end) return time;
      // A clock that was set forward has skipped it, or it is of a clock that ran ahead.
      skipped ??= end;
    }
    end = mark.time;
  }
  return skipped ?? now.time;
}

/** Milliseconds that have passed since the record was made, and those of them that were seen to pass. */
export function passedSince(
  { last, uptime }: Pick<ClockRecord, 'last' | 'uptime'>,
  now: { readonly wall: number; readonly uptime: Uptime },
): { readonly ms: number; readonly seenMs: number } {
  const ofOneBoot = uptime.boot !== '' && uptime.boot === now.uptime.boot && now.uptime.ms >= uptime.ms;
  if (ofOneBoot) {
    const ms = now.uptime.ms - uptime.ms;
    return { ms, seenMs: ms };
  }
  // Only the wall clock may know. What it says may be wrong in either direction; that time ran backwards is not true.
  return { ms: Math.max(0, now.wall - last.wall), seenMs: 0 };
}
