import { type DependencyEnd, dependencyEnd } from '../../../domain/dependency.ts';
import type { NewEvent } from '../../../domain/event.ts';
import {
  type BatchMembership,
  type ExecutionRecord,
  type ExecutionStatus,
  isTerminal,
} from '../../../domain/execution.ts';
import type { MeterUse } from '../../../domain/scheduling/order-use.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { SideRowChange } from '../../../domain/side-row.ts';
import type { CommitEntry, WaitingPlace } from '../../store.ts';
import { inNoLine, notPending, type WaitingColumns } from '../file/checksum.ts';
import { encodeMeta, joinChunks, segmentEnd } from '../read/segment.ts';
import type { MemberEnd } from './batch-rows.ts';
import { type EncodedDependency, encodeDependencies } from './dependency-rows.ts';
import type { StoredInput } from './inputs.ts';

export type Label = readonly [key: string, value: string];

/** A row of `segments` to be, without its position. */
export interface EncodedSegment {
  readonly first: number;
  readonly last: number;
  readonly meta: string;
  readonly data: Uint8Array | null;
}

export interface EncodedRecord {
  readonly tenant: string;
  readonly taskId: string;
  readonly taskRevision: number;
  readonly status: string;
  readonly createdAt: number;
  /** Undefined for one that has not ended. */
  readonly end: DependencyEnd | undefined;
  /** What it follows; undefined for nothing. */
  readonly follows: readonly EncodedDependency[] | undefined;
  readonly blocked: boolean;
  readonly batch: BatchMembership | undefined;
  /** Of a member that has ended. */
  readonly memberEnd: MemberEnd | undefined;
  readonly place: WaitingColumns;
  readonly json: string;
  /** To be listed by; they never change. */
  readonly labels: readonly Label[];
}

/** A commit entry as texts and bytes, which cross to the writer's thread faster than objects do. */
export interface EncodedEntry {
  readonly executionId: string;
  readonly expected: number;
  /** Events in all segments. */
  readonly count: number;
  readonly segments: readonly EncodedSegment[];
  /** One row has the whole log, from the admission to the result, and the record with it. */
  readonly isWhole: boolean;
  readonly record: EncodedRecord | undefined;
  /** An idempotency key, and whose it is. */
  readonly claim: { readonly tenant: string; readonly invocationId: string } | undefined;
  /** The log before was staged. */
  readonly staged: boolean;
  readonly input: StoredInput | undefined;
  readonly meters: readonly MeterUse[] | undefined;
  /** Of a member of a batch, with its admission. */
  readonly member: { readonly layer: number; readonly follows: string } | undefined;
  readonly rows: readonly SideRowChange[] | undefined;
}

const noLabels: readonly Label[] = [];

export function encodeEntry(
  entry: CommitEntry,
  input: StoredInput | undefined,
  staged: boolean,
): EncodedEntry {
  const { executionId, events, record, claimInvocationId: invocationId } = entry;
  const tenant = tenantOf(record ?? {});
  const segments = encodeSegments(events, entry.expectedLastSequence);
  return {
    executionId,
    expected: entry.expectedLastSequence,
    count: events.length,
    segments,
    isWhole:
      entry.expectedLastSequence === 0 &&
      segments.length === 1 &&
      record !== undefined &&
      isTerminal(record.status) &&
      events.at(-1)?.kind === 'result',
    record:
      record === undefined
        ? undefined
        : {
            tenant,
            taskId: record.taskId,
            taskRevision: record.taskRevision,
            status: record.status,
            createdAt: record.createdAt,
            end: dependencyEnd(record),
            follows: record.dependsOn && encodeDependencies(record.dependsOn),
            blocked: record.blocked === true,
            batch: record.batch,
            memberEnd:
              record.batch === undefined || record.batch.supervised === true
                ? undefined
                : memberEndOf(record),
            place: placeOf(record.status, entry.waiting),
            json: JSON.stringify(record),
            labels: listedBy(record),
          },
    claim: invocationId === undefined ? undefined : { tenant, invocationId },
    staged,
    input,
    meters: entry.meters,
    member: entry.member && {
      layer: entry.member.layer,
      follows: JSON.stringify(entry.member.follows),
    },
    rows: entry.rows,
  };
}

function memberEndOf({ status, outcome, completedAt = 0 }: ExecutionRecord): MemberEnd | undefined {
  if (!isTerminal(status)) return undefined;
  const errorCode = outcome !== undefined && outcome.status !== 'completed' ? outcome.code : null;
  return { status, errorCode, endedAt: completedAt };
}

/** No label of a caller's has such a key: what a schedule has fired is listed in the same way. */
export const scheduleLabel = ' schedule';

/** What an execution is listed by, as labels are. */
export function listedBy({ labels, schedule }: ExecutionRecord): readonly Label[] {
  if (labels === undefined && schedule === undefined) return noLabels;
  const own = Object.entries(labels ?? {});
  return schedule === undefined ? own : [...own, [scheduleLabel, schedule]];
}

function placeOf(status: ExecutionStatus, waiting: WaitingPlace | undefined): WaitingColumns {
  if (waiting === undefined || isTerminal(status)) return status === 'pending' ? inNoLine : notPending;
  const { line, since, wakesAt } = waiting;
  return { line, waitsSince: since, wakesAt: Number.isFinite(wakesAt) ? wakesAt : null };
}

/** The rows of events that follow the event of that number one by one. */
export function encodeSegments(events: readonly NewEvent[], lastSequence: number): EncodedSegment[] {
  const segments: EncodedSegment[] = [];
  for (let start = 0; start < events.length; ) {
    const end = segmentEnd(events, start);
    segments.push({
      first: lastSequence + start + 1,
      last: lastSequence + end,
      meta: encodeMeta(events, start, end),
      data: joinChunks(events, start, end),
    });
    start = end;
  }
  return segments;
}
