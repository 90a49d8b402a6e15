import { dependencyEnd } from '../../../domain/dependency.ts';
import { isTerminal, keptSince } from '../../../domain/execution.ts';
import { tenantOf } from '../../../domain/scope.ts';
import { isEmptyInvocation } from '../../invocation.ts';
import { encodeSegments, listedBy } from '../../sqlite/write/encoded-entry.ts';
import type { CommitEntry } from '../../store.ts';
import { bytesOfRecord } from './encoded-commit.ts';
import { Blob, rowArray, storable } from './parameters.ts';

/** The parameters of `commit_plain` behind the first two, and the bytes of logs and inputs. */
export interface PlainCommit {
  readonly values: readonly unknown[];
  readonly bytes: number;
}

export const plainStatement = {
  name: 'commit-plain',
  text: 'SELECT commit_plain($1, $2, $3, $4, $5, $6, $7, $8, $9) AS done',
};

/** What of the engine's type plain_entry stands for "no record with this one". */
const noRecord = Array.from({ length: 12 }, () => null);

/**
 * The entries as rows of the engine's types; undefined where one of them hangs on more than its log, its record, its input
 * and its invocation id, or two are of one execution.
 *
 * @param base the position of the first event
 */
export function encodePlain(
  entries: readonly CommitEntry[],
  isStaged: (executionId: string) => boolean,
  base: number,
): PlainCommit | undefined {
  const seen = new Set<string>();
  for (const entry of entries) {
    if (seen.has(entry.executionId) || !isPlain(entry, isStaged)) return undefined;
    seen.add(entry.executionId);
  }
  const blob = new Blob();
  const moved: Row[] = [];
  const fresh: Row[] = [];
  const segments: Row[] = [];
  const inputs: Row[] = [];
  const claims: Row[] = [];
  let position = base;
  let total = 0;
  for (const { executionId, expectedLastSequence: before, events, record, input, ...entry } of entries) {
    let bytes = before > 0 ? 0 : bytesOfRecord;
    for (const { first, last, meta, data } of encodeSegments(events, before)) {
      const text = blob.add(meta);
      const output = data === null ? undefined : blob.add(data);
      bytes += text.length + (output?.length ?? 0);
      const at = position + first - before - 1;
      const places = [text.at, text.length, output?.at ?? null, output?.length ?? null];
      segments.push([executionId, first, last, at, ...places]);
    }
    position += events.length;
    if (input !== undefined && !isEmptyInvocation(input)) {
      const { input: given, ...rest } = input;
      const [text, content] = [blob.add(JSON.stringify(rest)), blob.add(given)];
      bytes += text.length + content.length;
      inputs.push([executionId, text.at, text.length, content.at, content.length]);
    }
    if (entry.claimInvocationId !== undefined && record !== undefined)
      claims.push([tenantOf(record), storable(entry.claimInvocationId), executionId]);
    total += bytes;
    (before > 0 ? moved : fresh).push([
      ...[executionId, before, events.length, bytes],
      ...(record === undefined ? noRecord : columnsOf(record, entry.waiting, blob)),
    ]);
  }
  const rows = [moved, fresh, segments, inputs, claims].map(rowArray);
  return { values: [position, ...rows, blob.bytes()], bytes: total };
}

type Row = (string | number | null)[];

function columnsOf(
  record: NonNullable<CommitEntry['record']>,
  waiting: CommitEntry['waiting'],
  blob: Blob,
): Row {
  const { at, length } = blob.add(JSON.stringify(record));
  const { taskId, taskRevision, status, createdAt } = record;
  const hasEnded = isTerminal(status);
  const place = hasEnded ? undefined : waiting;
  return [
    ...[at, length, tenantOf(record), taskId, taskRevision, status, createdAt],
    ...[hasEnded ? (keptSince(record) ?? null) : null, dependencyEnd(record) ?? null],
    ...[place === undefined ? null : storable(place.line), place?.since ?? null],
    place === undefined || !Number.isFinite(place.wakesAt) ? null : place.wakesAt,
  ];
}

function isPlain(
  { executionId, expectedLastSequence, record, meters, member, rows, claimInvocationId }: CommitEntry,
  isStaged: (executionId: string) => boolean,
): boolean {
  const isNew = expectedLastSequence === 0;
  if (meters !== undefined && meters.length > 0) return false;
  if (member !== undefined || (rows !== undefined && rows.length > 0)) return false;
  if (isStaged(executionId)) return false;
  if (record === undefined) return !isNew && claimInvocationId === undefined;
  if (claimInvocationId !== undefined && !isNew) return false;
  const { batch, dependsOn, blocked } = record;
  return batch === undefined && dependsOn === undefined && blocked !== true && listedBy(record).length === 0;
}
