/** A schedule and its firings as the page knows them: the models of `Schedule` and `Firing`. Pure. */
import { durationText } from '../model/quantity.ts';
import { enumWord, instantOf, numberOf } from '../model/scalar.ts';
import { type Status, statusOf } from '../model/status.ts';
import type { FiringJson, ScheduleJson } from '../wire.ts';

export type FiringCause = 'clock' | 'trigger' | 'backfill';
export type FiringResult = 'fired' | 'skipped' | 'missed' | 'refused' | 'repeated';

/** What has become of an instant, or of several in a row. */
export interface Firing {
  /** 0 where it is only planned. */
  readonly sequence: number;
  readonly instant: number;
  readonly cause: FiringCause;
  /** Undefined where it is only planned. */
  readonly result: FiringResult | undefined;
  /** Empty for none. */
  readonly executionId: string;
  /** Where that execution is now; undefined where there is none any more. */
  readonly execution: { readonly status: Status; readonly state: string } | undefined;
  readonly reason: string;
  readonly message: string;
  readonly until: number | undefined;
  readonly count: number;
  readonly more: boolean;
}

export interface Schedule {
  readonly name: string;
  readonly task: string;
  readonly functionName: string;
  /** `30 2 * * *`, `every 15 m 00 s`. */
  readonly timing: string;
  /** An IANA name. */
  readonly timezone: string;
  /** `skip`, `queue`, `cancel running` or `allow`. */
  readonly overlap: string;
  readonly catchUpMs: number;
  readonly jitterMs: number;
  readonly startAt: number | undefined;
  readonly endAt: number | undefined;
  readonly description: string;
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly principal: string;
  /** Path in the chart. */
  readonly state: string;
  /** Undefined while it is not paused. */
  readonly pause:
    | { readonly at: number | undefined; readonly by: string; readonly reason: string }
    | undefined;
  readonly next: number | undefined;
  readonly counts: Readonly<Record<'fired' | 'skipped' | 'missed' | 'refused', number>>;
  readonly refusedInARow: number;
  /** Known of one schedule alone; 0 in lists. */
  readonly failedInARow: number;
  readonly last: Firing | undefined;
  readonly allowedEvents: readonly string[];
}

export function scheduleOf(json: ScheduleJson): Schedule {
  const { definition } = json;
  return {
    name: definition?.name ?? '',
    task: definition?.invocation?.task ?? '',
    functionName: definition?.invocation?.functionName ?? '',
    timing: definition?.cron ?? `every ${durationText(msOf(definition?.interval))}`,
    timezone: definition?.timezone || 'UTC',
    overlap: enumWord(definition?.overlap ?? '', 'SCHEDULE_OVERLAP_')
      .toLowerCase()
      .replaceAll('_', ' '),
    catchUpMs: msOf(definition?.catchUp),
    jitterMs: msOf(definition?.jitter),
    startAt: instantOf(definition?.startAt),
    endAt: instantOf(definition?.endAt),
    description: definition?.description ?? '',
    revision: json.revision,
    createdAt: instantOf(json.createdAt) ?? 0,
    updatedAt: instantOf(json.updatedAt) ?? 0,
    principal: json.principal,
    state: json.state,
    pause:
      json.state === 'paused'
        ? { at: instantOf(json.pausedAt), by: json.pausedBy, reason: json.pauseReason }
        : undefined,
    next: instantOf(json.next),
    counts: {
      fired: numberOf(json.fired),
      skipped: numberOf(json.skipped),
      missed: numberOf(json.missed),
      refused: numberOf(json.refused),
    },
    refusedInARow: json.refusedInARow,
    failedInARow: json.failedInARow,
    last: json.last && firingOf(json.last),
    allowedEvents: json.allowedEvents,
  };
}

export function firingOf(json: FiringJson): Firing {
  const { execution } = json;
  const result = enumWord(json.result, 'FIRING_RESULT_').toLowerCase();
  return {
    sequence: numberOf(json.sequence),
    instant: instantOf(json.instant) ?? 0,
    cause: enumWord(json.cause, 'FIRING_CAUSE_').toLowerCase() as FiringCause,
    result: result === '' ? undefined : (result as FiringResult),
    executionId: json.executionId,
    execution: execution && { status: statusOf(execution.status), state: execution.state },
    reason: json.reason,
    message: json.message,
    until: instantOf(json.until),
    count: json.count,
    more: json.more,
  };
}

/** What is wrong with it; empty where nothing is. */
export function troubleText({ refusedInARow, failedInARow, last }: Schedule): string {
  if (refusedInARow > 0) return `Refused ${timesText(refusedInARow)}: ${last?.message ?? ''}`;
  if (failedInARow > 1) return `Failed ${timesText(failedInARow)}`;
  return '';
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${count} times in a row`;
}

/** A duration on the wire, such as `1.5s`. */
function msOf(text: string | undefined): number {
  return text === undefined ? 0 : Number.parseFloat(text) * 1000;
}
