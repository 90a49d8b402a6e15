/**
 * Which finished executions go, oldest first: ids are time-ordered, and each walk remembers its place. As on SQLite:
 * first what ended long enough ago; while too many bytes are in use, logs; where there are none left, records, and then
 * a tenth more than they must.
 */
import { type ExecutionRecord, isTerminal } from '../../../domain/execution.ts';
import type { DeletedExecution } from '../../../domain/node-feed.ts';
import { tenantOf } from '../../../domain/scope.ts';
import { plainResultOf } from '../../sqlite/read/segment.ts';
import type { Retained, Retention } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { segmentOf } from '../read/logs.ts';
import { recordOf } from '../read/records.ts';
import type { Changes } from '../write/changes.ts';
import { plainArray, textArray } from '../write/parameters.ts';
import type { Sweep } from './sweep.ts';

type Walk = 'age' | 'logs' | 'records';

interface Candidate {
  readonly record: ExecutionRecord;
  readonly keptSince: number;
  readonly bytes: number;
}

/** Executions that one step looks at, … */
const lookedAtOnce = 256;
/** … and deletes, so that it is short. */
const deletedAtOnce = 128;
/** Of so many walks by age one looks at all executions: about each hour. */
const thoroughEvery = 360;
/** Of the bytes that are allowed, where records have to go. */
const roomShare = 0.9;

export class Retaining {
  readonly #readers: Readers;
  readonly #changes: Changes;
  readonly #sweep: Sweep;
  readonly #written: () => number;
  readonly #places: Record<Walk, string> = { age: '', logs: '', records: '' };
  #ageWalks = 0;
  #needsRoom = false;
  /** What was in use when it was counted, and what was written by then; less what has gone since. */
  #counted: { readonly bytes: number; readonly written: number } | undefined;
  #freed = 0;

  /** @param written bytes that this node has committed so far */
  constructor(readers: Readers, changes: Changes, sweep: Sweep, written: () => number) {
    this.#readers = readers;
    this.#sweep = sweep;
    this.#changes = changes;
    this.#written = written;
  }

  /** As `Store.delete`. */
  async delete(executionId: string): Promise<boolean> {
    const rows = await this.#readers.read(
      'cannot read an execution',
      'SELECT record FROM executions WHERE execution_id = $1 AND record IS NOT NULL',
      [executionId],
    );
    const [record] = rows.map(recordOf);
    if (record === undefined || !isTerminal(record.status)) return false;
    return (await this.#remove([record])).length > 0;
  }

  async step({ endedBefore, maxBytes, ...times }: Retention): Promise<Retained> {
    const byAge = await this.#byAge(endedBefore);
    if (byAge.more) return byAge;
    const bySize = await this.#bySize(maxBytes);
    const more = bySize.more || (await this.#sweep.step(times));
    return { ...bySize, deletedExecutions: [...byAge.deletedExecutions, ...bySize.deletedExecutions], more };
  }

  async #byAge(endedBefore: number): Promise<Retained> {
    const thorough = this.#ageWalks % thoroughEvery === 0;
    const { candidates, ended, last } = await this.#page('age', thorough ? undefined : endedBefore);
    const old = candidates.filter(({ keptSince }) => keptSince < endedBefore).slice(0, deletedAtOnce);
    const deletedExecutions = await this.#remove(old.map(({ record }) => record));
    const cut = old.length === deletedAtOnce ? old.at(-1)?.record.executionId : undefined;
    this.#places.age = cut ?? (ended ? '' : last);
    const isOver = ended && cut === undefined;
    if (isOver) {
      this.#ageWalks += 1;
      if (Number.isFinite(endedBefore)) {
        await this.#changes.call('cannot forget batches', 'forget_batches', [endedBefore]);
      }
    }
    return { deletedExecutions, deletedLogs: 0, more: !isOver };
  }

  async #bySize(maxBytes: number): Promise<Retained> {
    const most = maxBytes * (this.#needsRoom ? roomShare : 1);
    if ((await this.#inUse()) <= most) {
      if (this.#needsRoom) {
        this.#needsRoom = false;
        this.#places.logs = '';
        this.#places.records = '';
      }
      return { deletedExecutions: [], deletedLogs: 0, more: false };
    }
    return this.#needsRoom ? this.#recordsUntil(most) : this.#logsUntil(most);
  }

  async #logsUntil(most: number): Promise<Retained> {
    const { candidates, ended, last } = await this.#page('logs');
    let excess = (await this.#inUse()) - most;
    const shortened: Candidate[] = [];
    for (const candidate of candidates) {
      if (excess <= 0 || shortened.length >= deletedAtOnce) break;
      const { oldestSequence = 1, lastSequence, executionId } = candidate.record;
      this.#places.logs = executionId;
      if (oldestSequence >= lastSequence) continue;
      shortened.push(candidate);
      excess -= candidate.bytes;
    }
    await this.#shorten(shortened.map(({ record }) => record));
    const isThrough = shortened.length < deletedAtOnce && excess > 0;
    if (isThrough && !ended) this.#places.logs = last;
    if (isThrough && ended) this.#needsRoom = true;
    return {
      deletedExecutions: [],
      deletedLogs: shortened.length,
      ...(shortened.length > 0 && { shortened: shortened.map(({ record }) => record.executionId) }),
      more: (await this.#inUse()) > most,
    };
  }

  async #recordsUntil(most: number): Promise<Retained> {
    const { candidates, ended, last } = await this.#page('records');
    let excess = (await this.#inUse()) - most;
    const gone: ExecutionRecord[] = [];
    for (const { record, bytes } of candidates) {
      if (excess <= 0 || gone.length >= deletedAtOnce) break;
      gone.push(record);
      excess -= bytes;
      this.#places.records = record.executionId;
    }
    const deletedExecutions = await this.#remove(gone);
    const isThrough = gone.length < deletedAtOnce && excess > 0;
    if (isThrough && !ended) this.#places.records = last;
    if (excess <= 0 || (isThrough && ended)) {
      this.#needsRoom = false;
      this.#places.logs = '';
      this.#places.records = '';
    }
    return { deletedExecutions, deletedLogs: 0, more: excess > 0 && !(isThrough && ended) };
  }

  /** Finished executions behind the place of a walk, of those created before an instant where one is given. */
  async #page(
    walk: Walk,
    createdBefore?: number,
  ): Promise<{ readonly candidates: readonly Candidate[]; readonly ended: boolean; readonly last: string }> {
    const rows = await this.#readers.read(
      'cannot see what is old',
      `SELECT execution_id, created_at, kept_since, bytes, CASE WHEN kept_since IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM dependencies d WHERE d.dependency_id = execution_id AND d.active) THEN record END AS record
       FROM executions WHERE execution_id > $1 AND record IS NOT NULL ORDER BY execution_id LIMIT ${lookedAtOnce}`,
      [this.#places[walk]],
    );
    // Nothing ended before it was created, and what follows was created later, but where a clock was set meanwhile.
    const young =
      createdBefore === undefined ? -1 : rows.findIndex((row) => Number(row.created_at) >= createdBefore);
    const seen = young < 0 ? rows : rows.slice(0, young);
    return {
      candidates: seen.filter((row) => row.record !== null).map(candidateOf),
      ended: young >= 0 || rows.length < lookedAtOnce,
      last: String(seen.at(-1)?.execution_id ?? this.#places[walk]),
    };
  }

  async #remove(records: readonly ExecutionRecord[]): Promise<DeletedExecution[]> {
    if (records.length === 0) return [];
    const ids = textArray(records.map(({ executionId }) => executionId));
    const answer = await this.#changes.call('cannot delete executions', 'remove_executions', [ids]);
    const removed = JSON.parse(String(answer)) as { readonly bytes: number; readonly ids: readonly string[] };
    this.#freed += removed.bytes;
    const gone = new Set(removed.ids);
    return records
      .filter(({ executionId }) => gone.has(executionId))
      .map((record) => ({
        executionId: record.executionId,
        tenant: tenantOf(record),
        taskName: record.taskName,
      }));
  }

  async #shorten(records: readonly ExecutionRecord[]): Promise<void> {
    if (records.length === 0) return;
    const ids = textArray(records.map(({ executionId }) => executionId));
    const rows = await this.#readers.read(
      'cannot read a log',
      `SELECT DISTINCT ON (execution_id) execution_id, first_sequence, last_sequence, position, meta
       FROM segments WHERE execution_id = ANY ($1::text[]) ORDER BY execution_id, first_sequence DESC`,
      [ids],
    );
    const lastRows = new Map(rows.map((row) => [String(row.execution_id), row]));
    const results = records.map(({ executionId }) => {
      const row = lastRows.get(executionId);
      return row === undefined ? undefined : plainResultOf(segmentOf(row));
    });
    const now = records.map((record) => JSON.stringify({ ...record, oldestSequence: record.lastSequence }));
    const freed = await this.#changes.call('cannot delete logs', 'shorten_logs', [
      ids,
      textArray(now),
      plainArray(results.map((result) => result?.first_sequence ?? null)),
      plainArray(results.map((result) => result?.position ?? null)),
      textArray(results.map((result) => result?.meta ?? null)),
    ]);
    this.#freed += Number(freed);
  }

  async #inUse(): Promise<number> {
    if (this.#counted === undefined) {
      const written = this.#written();
      const [row] = await this.#readers.read(
        'cannot count',
        'SELECT coalesce(sum(bytes), 0)::float8 AS bytes FROM executions',
      );
      this.#counted = { bytes: Number(row?.bytes), written };
      this.#freed = 0;
    }
    const { bytes, written } = this.#counted;
    return bytes + this.#written() - written - this.#freed;
  }
}

function candidateOf(row: Row): Candidate {
  return { record: recordOf(row), keptSince: Number(row.kept_since), bytes: Number(row.bytes) };
}
