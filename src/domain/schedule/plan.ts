/**
 * What a schedule does at an instant. Pure: the caller brings the clock and the recurrence.
 *
 * 1. No instant fires twice by the clock: `next` only grows, but where a clock is set back by hours (`isSetBack`).
 * 2. What is late by no more than the catch-up window fires, in its order; the rest is missed, and told as one.
 */
import { instantsOf, type Recurrence } from './recurrence.ts';
import type { Missed, Schedule, ScheduleRules } from './schedule.ts';

/**
 * A clock that was set back by less is waited for, so that nothing fires twice; past it, it was wrong before, and the
 * instants count from what it shows now. As cron does (Vixie cron, `cron(8)`: "changes of less than 3 hours").
 */
export const setBackMs = 3 * 60 * 60 * 1000;
/** Missed instants that are counted. */
export const mostMissedCounted = 20;

export type Plan =
  /** Nothing is due; `next` is the one to wait for, undefined where there is none. */
  | { readonly kind: 'wait'; readonly next: number | undefined; readonly missed?: MissedRun }
  | {
      readonly kind: 'fire';
      readonly instant: number;
      readonly next: number | undefined;
      readonly missed?: MissedRun;
    };

/** Instants in a row that came and went. */
export interface MissedRun extends Missed {
  readonly instant: number;
}

type Planned = Pick<Schedule, 'next' | 'tenant'> & {
  readonly rules: Pick<ScheduleRules, 'name' | 'catchUpMs' | 'jitterMs'>;
};

export function plan(schedule: Planned, recurrence: Recurrence, now: number): Plan {
  const { next, rules } = schedule;
  if (next === undefined || dueOf(schedule, next) > now) return { kind: 'wait', next };
  const { catchUpMs, jitterMs } = rules;
  const oldest = now - catchUpMs - jitterMs;
  if (next >= oldest) return { kind: 'fire', instant: next, next: recurrence.after(next) };
  const first = recurrence.after(oldest - 1);
  const missed = missedRun(recurrence, next, first ?? Number.POSITIVE_INFINITY, now);
  if (first === undefined || dueOf(schedule, first) > now) return { kind: 'wait', next: first, missed };
  return { kind: 'fire', instant: first, next: recurrence.after(first), missed };
}

/** Whether a clock that showed `seen` and shows `now` was set back by so much that it counts from now on. */
export function isSetBack(seen: number, now: number): boolean {
  return now < seen - setBackMs;
}

/** From `instant` on, up to the one that is not missed. */
function missedRun(recurrence: Recurrence, instant: number, before: number, now: number): MissedRun {
  const until = Math.min(before - 1, now);
  const rest = instantsOf(recurrence, instant, mostMissedCounted, until);
  const more = rest.length === mostMissedCounted;
  const last = rest.at(-1) ?? instant;
  return { instant, count: Math.min(rest.length + 1, mostMissedCounted), more, until: more ? until : last };
}

/** When an instant fires: later by a part of the jitter, which is always the same for it. */
export function dueOf(
  { tenant = '', rules: { name, jitterMs } }: Omit<Planned, 'next'>,
  instant: number,
): number {
  return jitterMs === 0 ? instant : instant + Math.floor(part(`${tenant}/${name}/${instant}`) * jitterMs);
}

/** 0 to 1, spread evenly (FNV-1a, 32 bits, with the finish of MurmurHash3 for texts that differ at their ends). */
function part(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

const firstRetryMs = 1000;
const longestRetryMs = 60_000;

/**
 * When a firing that was refused for now is tried again: after 1 s, then twice as long each time, up to a minute.
 * Undefined where that would be later than the catch-up window allows.
 */
export function retryAt(schedule: Planned, instant: number, tries: number, now: number): number | undefined {
  const { catchUpMs, jitterMs } = schedule.rules;
  const at = now + Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(tries, 16));
  return at <= instant + jitterMs + catchUpMs ? at : undefined;
}
