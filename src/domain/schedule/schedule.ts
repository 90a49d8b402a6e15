/** A schedule and what it keeps of its firings. Instants are of the wall clock, in milliseconds since the epoch. */
import type { Role } from '../access.ts';
import type { ExecutionRecord, Invocation } from '../execution.ts';
import { isoInstant } from '../instant.ts';
import type { Labels } from '../labels.ts';
import type { Priority } from '../scheduling/priority.ts';
import type { Timeouts } from '../task.ts';

/** What becomes of a firing while an earlier one has not ended. */
export type Overlap = 'skip' | 'queue' | 'cancelRunning' | 'allow';

export const overlaps: readonly Overlap[] = ['skip', 'queue', 'cancelRunning', 'allow'];

export type Timing =
  | { readonly kind: 'cron'; readonly cron: string; readonly timezone: string }
  /** Its instants are at whole intervals from `anchor` on. */
  | { readonly kind: 'interval'; readonly everyMs: number; readonly anchor: number };

/** What it invokes; nothing of it has been checked against the task. */
export interface ScheduledCall {
  readonly invocation: Invocation;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Labels;
  readonly timeouts: Timeouts;
  /** Absent means the task's. */
  readonly priority?: Priority;
  readonly fairnessKey?: string;
  readonly refuseIfLate?: true;
  readonly bypassCache?: true;
}

/** What a schedule says beside its call. */
export interface ScheduleRules {
  readonly name: string;
  /** As its maker names it. */
  readonly task: string;
  readonly timing: Timing;
  readonly overlap: Overlap;
  /** A firing that is late by more is missed. */
  readonly catchUpMs: number;
  readonly jitterMs: number;
  readonly startAt?: number;
  readonly endAt?: number;
  readonly description: string;
}

export interface ScheduleDraft extends ScheduleRules {
  readonly call: ScheduledCall;
}

/** On whose behalf it fires. */
export interface ScheduleOwner {
  readonly name: string;
  readonly role: Role | undefined;
}

export interface SchedulePause {
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** How many firings there were of each result. */
export type FiringCounts = Readonly<Record<'fired' | 'skipped' | 'missed' | 'refused', number>>;

/** A schedule as it is kept. */
export interface Schedule {
  readonly rules: ScheduleRules;
  /** Absent means the default one. */
  readonly tenant?: string;
  /** The name of its task when that was looked up last: who may see the task may see the schedule. */
  readonly taskName: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly owner: ScheduleOwner;
  /** Path in the chart. */
  readonly state: string;
  readonly pause?: SchedulePause;
  /** The next instant; absent where there is none. */
  readonly next?: number;
  /** When it is to be looked at: `next` with its jitter, or the next try of a firing that was refused for now. */
  readonly dueAt?: number;
  /** Tries of the firing that is due. */
  readonly tries: number;
  /** The instant of the last trigger; each has its own. */
  readonly triggeredAt?: number;
  readonly firings: number;
  readonly counts: FiringCounts;
  readonly refusedInARow: number;
  /** The execution that it has fired last. */
  readonly lastExecutionId?: string;
  readonly last?: Firing;
}

export type FiringCause = 'clock' | 'trigger' | 'backfill';
export type FiringResult = 'fired' | 'skipped' | 'missed' | 'refused' | 'repeated';

/** What has become of an instant. */
export interface Firing {
  /** 1, 2, 3 … of its schedule. */
  readonly sequence: number;
  readonly instant: number;
  /** When that was decided. */
  readonly at: number;
  readonly cause: FiringCause;
  readonly result: FiringResult;
  readonly executionId?: string;
  /** Of one that was refused: the reason of the error, and its words. */
  readonly reason?: string;
  readonly message?: string;
  /** Of those that were missed: the last in a row, how many, and whether there were more. */
  readonly missed?: Missed;
}

export interface Missed {
  readonly until: number;
  readonly count: number;
  readonly more: boolean;
}

/** A firing with the execution that it names, where that is still there. */
export interface SeenFiring {
  readonly firing: Firing;
  readonly record: ExecutionRecord | undefined;
}

/** Firings that are kept of each schedule. */
export const keptFirings = 100;
/** Instants of one backfill. */
export const mostBackfilled = 1000;
export const defaultCatchUpMs = 60_000;
/** A timer that is late by less says nothing of a stop. */
export const leastCatchUpMs = 10_000;
export const mostJitterMs = 24 * 60 * 60 * 1000;
export const leastIntervalMs = 1000;

/** What callers' own invocation ids must not begin with. */
export const firingPrefix = 'schedule/';

/**
 * `schedule/NAME/INSTANT`, the instant in ISO 8601 and UTC. Instants of the clock are whole seconds; one of a trigger
 * has its milliseconds, so that it is never one of those.
 */
export function firingId(name: string, instant: number, cause: FiringCause): string {
  const text = isoInstant(instant);
  return `${firingPrefix}${name}/${cause === 'trigger' ? text : text.replace('.000Z', 'Z')}`;
}

/** The chart's events that a caller may send in a state, and a trigger. */
export function scheduleEvents(state: string): readonly string[] {
  return [state === 'paused' ? 'resume' : state === 'ended' ? '' : 'pause', 'update', 'trigger'].filter(
    (event) => event !== '',
  );
}
