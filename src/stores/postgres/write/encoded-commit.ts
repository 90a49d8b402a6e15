import { isTerminal, keptSince } from '../../../domain/execution.ts';
import { tenantOf } from '../../../domain/scope.ts';
import { isEmptyInvocation } from '../../invocation.ts';
import { encodeSegments, listedBy } from '../../sqlite/write/encoded-entry.ts';
import type { CommitEntry, CommitResult } from '../../store.ts';
import { type BatchChange, batchArrays } from './batch-arrays.ts';
import { dependencyArrays, followsAnew } from './dependency-arrays.ts';
import { Blob, plainArray, storable, textArray } from './parameters.ts';
import { rowArrays } from './row-arrays.ts';

/** A commit as the parameters of `commit_entries` behind the first four. */
export interface EncodedCommit {
  readonly values: readonly unknown[];
  /** Events of each entry. */
  readonly counts: readonly number[];
  /** Of logs and inputs, in all. */
  readonly bytes: number;
}

/** What an execution takes beside its log and input: its record, and what it is found by. */
export const bytesOfRecord = 2048;

const placeholders = Array.from({ length: 69 }, (_, index) => `$${index + 1}`).join(', ');
export const commitStatement = {
  name: 'commit',
  text: `SELECT commit_entries(${placeholders}) AS answer`,
};

/** @param isStaged whether a log was staged before, so that its first commit finds it there */
export function encodeCommit(
  entries: readonly CommitEntry[],
  isStaged: (executionId: string) => boolean,
  batch?: BatchChange,
): EncodedCommit {
  const blob = new Blob();
  const rows = new Columns();
  const segments = new Columns();
  const labels = new Columns();
  const meters = new Columns();
  const changes = entries.flatMap(({ rows: given = [] }, index) =>
    given.map((change) => ({ entry: index + 1, change })),
  );
  const counts = entries.map(({ events }) => events.length);
  const runs = runsOf(entries, isStaged);
  let offset = 0;
  let total = 0;
  for (const [index, entry] of entries.entries()) {
    const { executionId, expectedLastSequence: expected, events, record, waiting } = entry;
    const known = expected > 0 || isStaged(executionId);
    let bytes = known ? 0 : bytesOfRecord;
    for (const { first, last, meta, data } of encodeSegments(events, expected)) {
      const metaPart = blob.add(meta);
      const dataPart = data === null ? undefined : blob.add(data);
      bytes += metaPart.length + (dataPart?.length ?? 0);
      const place = [index + 1, first, last, offset + first - expected - 1];
      segments.add(...place, metaPart.at, metaPart.length, dataPart?.at ?? null, dataPart?.length ?? null);
    }
    offset += events.length;
    const hasInput = entry.input !== undefined && !isEmptyInvocation(entry.input);
    const { input, ...rest } = entry.input ?? { input: new Uint8Array() };
    const invocationPart = hasInput ? blob.add(JSON.stringify(rest)) : undefined;
    const inputPart = hasInput ? blob.add(input) : undefined;
    bytes += (invocationPart?.length ?? 0) + (inputPart?.length ?? 0);
    total += bytes;
    const recordPart = record === undefined ? undefined : blob.add(JSON.stringify(record));
    const ended = record !== undefined && isTerminal(record.status);
    const place = record === undefined || ended ? undefined : waiting;
    const wakes = place === undefined || !Number.isFinite(place.wakesAt) ? null : place.wakesAt;
    rows.add(
      ...[runs[index] ?? 1, executionId, expected, events.length],
      ...[known, bytes, recordPart?.at ?? null, recordPart?.length ?? null],
      ...[
        record === undefined ? null : tenantOf(record),
        record?.taskId ?? null,
        record?.taskRevision ?? null,
      ],
      ...[record?.status ?? null, record?.createdAt ?? null, ended ? keptSince(record) : null],
      ...[place === undefined ? null : storable(place.line), place?.since ?? null, wakes],
      entry.claimInvocationId === undefined ? null : storable(entry.claimInvocationId),
      ...[invocationPart?.at ?? null, invocationPart?.length ?? null],
      ...[inputPart?.at ?? null, inputPart?.length ?? null],
    );
    for (const [key, value] of record === undefined ? [] : listedBy(record))
      labels.add(index + 1, key, value);
    for (const { meter, fullAt } of entry.meters ?? []) meters.add(index + 1, storable(meter), fullAt);
  }
  const values = [
    ...rows.arrays(22, [1, 8, 9, 11, 14, 17]),
    ...segments.arrays(8, []),
    ...labels.arrays(3, [1, 2]),
    ...meters.arrays(3, [1]),
    plainArray(changes.map(({ entry }) => entry)),
    ...rowArrays(changes.map(({ change }) => change)),
    ...dependencyArrays(entries, isStaged),
    ...batchArrays(entries, batch),
    blob.bytes(),
  ];
  return { values, counts, bytes: total };
}

/** The results of a commit whose first position is `base`, and the position behind its last. */
export function decodeAnswer(
  answer: string,
  { counts }: EncodedCommit,
  base: number,
): { readonly results: CommitResult[]; readonly next: number } {
  const refused = new Map<number, CommitResult>();
  for (const [index, conflict, detail] of answer === '' ? [] : (JSON.parse(answer) as Refusal[])) {
    refused.set(index, refusalOf(conflict, detail));
  }
  let next = base;
  const results = counts.map((count, index): CommitResult => {
    const refusal = refused.get(index);
    if (refusal !== undefined) return refusal;
    next += count;
    return { ok: true, position: next - count };
  });
  return { results, next };
}

/** As `decodeAnswer`, where nothing was refused. */
export function allOf(
  entries: readonly CommitEntry[],
  base: number,
): { readonly results: CommitResult[]; readonly next: number } {
  let next = base;
  const results = entries.map(({ events }): CommitResult => {
    next += events.length;
    return { ok: true, position: next - events.length };
  });
  return { results, next };
}

type Refusal = [
  index: number,
  conflict: 'invocation' | 'dependency' | 'owner' | 'sequence',
  detail: string | number,
];

function refusalOf(conflict: Refusal[1], detail: string | number): CommitResult {
  if (conflict === 'invocation' || conflict === 'dependency') {
    return { ok: false, conflict, executionId: String(detail) };
  }
  if (conflict === 'owner') return { ok: false, conflict };
  return { ok: false, conflict, lastSequence: Number(detail) };
}

/**
 * The number of each entry's run: a new one begins with an execution that the last has already, or that one of the last
 * follows, and with one that follows one of the last.
 */
function runsOf(entries: readonly CommitEntry[], isStaged: (executionId: string) => boolean): number[] {
  let run = 1;
  const seen = new Set<string>();
  const followed = new Set<string>();
  return entries.map((entry) => {
    const { executionId } = entry;
    const follows = followsAnew(entry, isStaged) ?? [];
    const isBehind = follows.some((other) => seen.has(other.executionId));
    if (seen.has(executionId) || followed.has(executionId) || isBehind) {
      run += 1;
      seen.clear();
      followed.clear();
    }
    seen.add(executionId);
    for (const other of follows) followed.add(other.executionId);
    return run;
  });
}

type Value = string | number | boolean | null;

/** Rows that become one array for each column. */
class Columns {
  readonly #rows: Value[][] = [];

  add(...row: Value[]): void {
    this.#rows.push(row);
  }

  arrays(width: number, texts: readonly number[]): string[] {
    return Array.from({ length: width }, (_, column) => {
      const values = this.#rows.map((row) => row[column] ?? null);
      return texts.includes(column)
        ? textArray(values as (string | null)[])
        : plainArray(values as (number | boolean | null)[]);
    });
  }
}
