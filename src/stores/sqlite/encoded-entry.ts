import { isTerminal } from '../../domain/execution.ts';
import type { CommitEntry } from '../store.ts';
import type { StoredInput } from './inputs.ts';
import { encodeMeta, joinChunks, segmentEnd } from './segment.ts';

/** A row of `segments` to be, without its position. */
export interface EncodedSegment {
  readonly first: number;
  readonly last: number;
  readonly meta: string;
  readonly data: Uint8Array | null;
}

export interface EncodedRecord {
  readonly taskId: string;
  readonly status: string;
  readonly createdAt: number;
  readonly ended: boolean;
  readonly json: string;
}

/** A commit entry as texts and bytes, which cross to the writer's thread faster than objects do. */
export interface EncodedEntry {
  readonly executionId: string;
  readonly expected: number;
  /** Events in all segments. */
  readonly count: number;
  readonly segments: readonly EncodedSegment[];
  readonly record: EncodedRecord | undefined;
  readonly snapshot: string | undefined;
  readonly claim: string | undefined;
  readonly input: StoredInput | undefined;
}

export function encodeEntry(entry: CommitEntry, input: StoredInput | undefined): EncodedEntry {
  const { executionId, events, record } = entry;
  const segments: EncodedSegment[] = [];
  for (let start = 0; start < events.length; ) {
    const end = segmentEnd(events, start);
    segments.push({
      first: entry.expectedLastSequence + start + 1,
      last: entry.expectedLastSequence + end,
      meta: encodeMeta(events, start, end),
      data: joinChunks(events, start, end),
    });
    start = end;
  }
  return {
    executionId,
    expected: entry.expectedLastSequence,
    count: events.length,
    segments,
    record:
      record === undefined
        ? undefined
        : {
            taskId: record.taskId,
            status: record.status,
            createdAt: record.createdAt,
            ended: isTerminal(record.status),
            json: JSON.stringify(record),
          },
    snapshot: entry.snapshot,
    claim: entry.claimInvocationId,
    input,
  };
}
