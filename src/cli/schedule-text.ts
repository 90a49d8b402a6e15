/** Schedules in words. */
import { durationMs, type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { ExecutionStatus } from '../server/gen/spearlet/function_pb.js';
import {
  type Firing,
  FiringCause,
  FiringResult,
  type Schedule,
  type ScheduleDefinition,
  ScheduleOverlap,
} from '../server/gen/spearlet/schedule_pb.js';
import { durationText } from './duration.ts';
import { statusText } from './outcome.ts';

/** `0 9 * * 1-5 in Europe/Berlin`, `every 5m`. */
export function timingText({ when, timezone }: ScheduleDefinition): string {
  if (when.case === 'cron') return `${when.value} in ${timezone}`;
  return when.case === 'interval' ? `every ${durationText(durationMs(when.value))}` : '';
}

/** `Tue, 1 Dec 2026, 09:00:00 GMT+01:00 (in 17h 2m)`. */
export function upcomingText(at: Timestamp, timezone: string, now: number): string {
  const instant = timestampMs(at);
  return `${zonedText(instant, timezone)} (${relativeText(instant - now)})`;
}

export function zonedText(instant: number, timezone: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...{ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    timeZone: timezone === '' ? 'UTC' : timezone,
    timeZoneName: timezone === '' ? 'short' : 'longOffset',
  }).format(instant);
}

function relativeText(ms: number): string {
  const text = durationText(Math.max(1000, Math.round(Math.abs(ms) / 1000) * 1000));
  return ms < 0 ? `${text} ago` : `in ${text}`;
}

const overlapTexts: Readonly<Record<ScheduleOverlap, string>> = {
  [ScheduleOverlap.UNSPECIFIED]: '',
  [ScheduleOverlap.SKIP]: 'skip',
  [ScheduleOverlap.QUEUE]: 'queue',
  [ScheduleOverlap.CANCEL_RUNNING]: 'cancel-running',
  [ScheduleOverlap.ALLOW]: 'allow',
};

export const overlapWords = ['skip', 'queue', 'cancel-running', 'allow'] as const;

/** The wire numbers them in their order, from 1; 0 is the usual one. */
export function overlapIn(word: string | undefined): ScheduleOverlap {
  return (overlapWords as readonly (string | undefined)[]).indexOf(word) + 1;
}

export function overlapText(overlap: ScheduleOverlap): string {
  return overlapTexts[overlap];
}

const causeTexts: Readonly<Record<FiringCause, string>> = {
  [FiringCause.UNSPECIFIED]: '',
  [FiringCause.CLOCK]: 'clock',
  [FiringCause.TRIGGER]: 'trigger',
  [FiringCause.BACKFILL]: 'backfill',
};

export function causeText(cause: FiringCause): string {
  return causeTexts[cause];
}

/** `completed`, `skipped: exec_… had not ended`, `refused: TASK_NOT_FOUND: …`. */
export function firingText(firing: Firing): string {
  const { result, executionId, reason, message, execution, count, more } = firing;
  switch (result) {
    case FiringResult.FIRED:
      return execution === undefined ? 'fired' : statusText(execution.status);
    case FiringResult.REPEATED:
      return 'there already';
    case FiringResult.SKIPPED:
      return executionId === '' ? 'skipped' : `skipped: ${executionId} had not ended`;
    case FiringResult.MISSED:
      return count > 1 ? `missed ${count}${more ? ' and more' : ''}` : 'missed';
    case FiringResult.REFUSED:
      return `refused: ${reason === '' ? '' : `${reason}: `}${message}`;
    default:
      return '';
  }
}

/** What is wrong with it, if anything. */
export function troubleText({ refusedInARow, failedInARow, last }: Schedule): string {
  if (refusedInARow > 0) return `refused ${refusedInARow} in a row: ${last?.message ?? ''}`;
  if (failedInARow > 0) return `failed ${failedInARow} in a row`;
  const status = last?.execution?.status;
  return status === ExecutionStatus.FAILED || status === ExecutionStatus.TIMED_OUT
    ? 'its last has failed'
    : '';
}
