/**
 * Writes logs and records over one connection; one commit of one committer at a time.
 *
 * - All entries are one transaction; an entry in conflict writes nothing and the others go on.
 * - Every conflict is found before the first write of its entry, so that no entry needs a savepoint.
 * - Positions are counted in memory and move on only when the transaction has committed.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Batch } from '../../../domain/batch/batch.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import type { BatchResult, CommitResult, MemberEnding, SuperviseResult } from '../../store.ts';
import {
  bytesChecksum,
  claimChecksum,
  inputChecksum,
  recordChecksum,
  recordColumns,
  segmentChecksum,
} from '../file/checksum.ts';
import { nextPosition } from '../file/positions.ts';
import { OrderRows } from '../read/order-rows.ts';
import { SideRows } from '../read/side-rows.ts';
import { BatchRows } from './batch-rows.ts';
import { DependencyRows } from './dependency-rows.ts';
import type { EncodedEntry, EncodedRecord, EncodedSegment } from './encoded-entry.ts';
import { SingleLogs } from './single-logs.ts';
import { Staging } from './staging.ts';

/** Logs whose last sequence number is kept; that of any other is read from its segments. */
const mostLasts = 16_384;

/** Which part of a batch. */
export interface BatchPart {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export class Committer {
  readonly #db: DatabaseSync;
  readonly #lasts = new LruMap<string, number>(mostLasts);
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #selectLast: StatementSync;
  readonly #insertSegment: StatementSync;
  readonly #insertFirst: StatementSync;
  readonly #saveRecord: StatementSync;
  readonly #insertLabel: StatementSync;
  readonly #selectOwner: StatementSync;
  readonly #insertClaim: StatementSync;
  readonly #insertInput: StatementSync;
  readonly #hasRecord: StatementSync;
  readonly #probe: readonly StatementSync[];
  readonly #staging: Staging;
  readonly #singles: SingleLogs;
  readonly #order: OrderRows;
  readonly #sideRows: SideRows;
  readonly #dependencies: DependencyRows;
  readonly #batches: BatchRows;
  #nextPosition: number;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare('BEGIN IMMEDIATE');
    this.#end = db.prepare('COMMIT');
    this.#selectLast = db.prepare(
      `SELECT last_sequence FROM segments
       WHERE execution_id = ? AND single IS NULL ORDER BY first_sequence DESC LIMIT 1`,
    );
    this.#insertSegment = db.prepare(
      `INSERT INTO segments
         (position, execution_id, first_sequence, last_sequence, checksum, data_checksum, meta, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id, first_sequence) WHERE single IS NULL DO NOTHING`,
    );
    // Looks for itself whether there is such a log: one of a single row is in no index.
    this.#insertFirst = db.prepare(
      `INSERT INTO segments
         (position, execution_id, first_sequence, last_sequence, checksum, data_checksum, meta, data, single)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
       WHERE NOT EXISTS (SELECT 1 FROM executions WHERE execution_id = ?2 AND log_position IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM segments WHERE execution_id = ?2 AND single IS NULL)`,
    );
    this.#saveRecord = db.prepare(
      `INSERT INTO executions (${recordColumns}, checksum, batch_id, log_position)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (execution_id) DO UPDATE SET task_id = excluded.task_id,
         task_revision = excluded.task_revision, status = excluded.status, created_at = excluded.created_at,
         record = excluded.record, tenant = excluded.tenant, line = excluded.line,
         waits_since = excluded.waits_since, wakes_at = excluded.wakes_at, checksum = excluded.checksum,
         log_position = ifnull(excluded.log_position, log_position)`,
    );
    this.#insertLabel = db.prepare(
      `INSERT INTO execution_labels (tenant, key, value, execution_id) VALUES (?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#selectOwner = db.prepare('SELECT execution_id FROM claims WHERE tenant = ? AND invocation_id = ?');
    this.#insertClaim = db.prepare(
      'INSERT INTO claims (tenant, invocation_id, execution_id, checksum) VALUES (?, ?, ?, ?)',
    );
    // The first input of an execution stays.
    this.#insertInput = db.prepare(
      `INSERT INTO inputs (execution_id, invocation, invocation_sha256, input, input_sha256, checksum)
       VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (execution_id) DO NOTHING`,
    );
    this.#hasRecord = db.prepare('SELECT 1 FROM executions WHERE execution_id = ?');
    // Two, as SQLite writes no page in which nothing has changed.
    this.#probe = ['+', '-'].map((sign) => db.prepare(`UPDATE position_floor SET next = next ${sign} 1`));
    this.#staging = new Staging(db);
    this.#singles = new SingleLogs(db);
    this.#order = new OrderRows(db);
    this.#sideRows = new SideRows(db);
    this.#dependencies = new DependencyRows(db);
    this.#batches = new BatchRows(db);
    this.#nextPosition = nextPosition(db);
  }

  /** The position after the last one that is known to be used. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /**
   * `floor` is the first position that may be free: another committer may have written since. Throws what SQLite
   * throws, with nothing written; the connection can be used again. Without entries it writes what changes nothing.
   */
  commit(entries: readonly EncodedEntry[], floor: number): CommitResult[] {
    return this.#atomically(floor, () => {
      if (entries.length === 0) for (const half of this.#probe) half.run();
      return entries.map((entry) => this.#write(entry));
    });
  }

  /**
   * Makes a batch, or a part of it: the first part is there with its batch, which is staged until the last. An entry in
   * conflict undoes the part. `floor` and what it throws are as for `commit`.
   */
  commitBatch(
    batch: Batch,
    entries: readonly EncodedEntry[],
    { isFirst, isLast }: BatchPart,
    floor: number,
  ): BatchResult {
    try {
      const positions = this.#atomically(floor, () => {
        if (isFirst) {
          const owner = this.#batches.ownerOf(batch);
          if (owner !== undefined) throw new Undone({ ok: false, conflict: 'batch', batchId: owner });
          this.#batches.insert(batch, !isLast);
        } else if (isLast) this.#batches.show(batch.batchId);
        return entries.map((entry) => {
          const result = this.#write(entry);
          if (result.ok) return result.position;
          if (result.conflict === 'dependency') throw new Undone({ ...result, conflict: 'dependency' });
          throw new Error(`${entry.executionId}: a member of a new batch is there already`);
        });
      });
      return { ok: true, positions };
    } catch (error) {
      if (error instanceof Undone) return error.result;
      throw error;
    }
  }

  /** See Store.superviseBatch; `floor` and what it throws are as for `commit`. */
  superviseBatch(
    before: Batch,
    batch: Batch,
    entries: readonly EncodedEntry[],
    endings: readonly MemberEnding[],
    floor: number,
  ): SuperviseResult {
    const positions = this.#atomically(floor, () => {
      // Nothing was written, so that there is nothing to undo.
      if (!this.#batches.supervise(before, batch, endings)) return undefined;
      return entries.map((entry) => {
        const result = this.#write(entry);
        if (result.ok) return result.position;
        throw new Error(`${entry.executionId}: a member that begins again is there already`);
      });
    });
    return positions === undefined ? { ok: false, conflict: 'changed' } : { ok: true, positions };
  }

  /**
   * Adds to a log that has no record yet; false where it has one. `floor` and what it throws are as for `commit`, and
   * a RangeError where the events do not follow what is staged already.
   */
  stage(executionId: string, segments: readonly EncodedSegment[], floor: number): boolean {
    return this.#atomically(floor, () => {
      if (this.#hasRecord.get(executionId) !== undefined) return false;
      const last = this.#storedLast(executionId);
      const staged = this.#staging.has(executionId);
      if (!staged && last > 0) return false;
      if (segments[0] !== undefined && segments[0].first !== last + 1) {
        throw new RangeError(`${executionId}: event ${segments[0].first} stands where ${last + 1} should`);
      }
      if (!staged) this.#staging.add(executionId);
      this.#append(executionId, segments);
      return true;
    });
  }

  /** Somebody has deleted logs: where the others stand is read again. */
  forget(): void {
    this.#lasts.clear();
  }

  unstage(executionId: string): void {
    this.#lasts.delete(executionId);
    this.#atomically(0, () => this.#staging.drop(executionId));
  }

  #atomically<T>(floor: number, work: () => T): T {
    if (floor > this.#nextPosition) {
      this.#nextPosition = floor;
      // The logs that the other one wrote have moved on.
      this.#lasts.clear();
    }
    const before = this.#nextPosition;
    try {
      this.#begin.run();
      const result = work();
      this.#end.run();
      return result;
    } catch (error) {
      this.#nextPosition = before;
      this.#lasts.clear();
      // Some failures, such as a full disk, have rolled back already.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #write(entry: EncodedEntry): CommitResult {
    const { executionId, expected, claim, record, input } = entry;
    let last = this.#lasts.peek(executionId);
    // A creation without a claim is checked by its insert, which saves the hot path a read.
    if (last === undefined && (expected > 0 || claim !== undefined)) {
      last = this.#storedLast(executionId);
      // Nothing is to follow a result; should something, it is not lost.
      if (expected > 0 && last === expected && entry.count > 0) this.#singles.index(executionId);
    }
    if (last !== undefined && last !== expected) return sequenceConflict(last);

    let owned = true;
    if (claim !== undefined) {
      const owner = this.#selectOwner.get(claim.tenant, claim.invocationId)?.execution_id as
        | string
        | undefined;
      owned = owner !== undefined;
      if (owner !== undefined && owner !== executionId) {
        return { ok: false, conflict: 'invocation', executionId: owner };
      }
    }

    const isNew = expected === 0 || entry.staged;
    const follows = record?.follows;
    const ends = isNew && follows !== undefined ? this.#dependencies.endsOf(follows) : undefined;
    if (typeof ends === 'string') return { ok: false, conflict: 'dependency', executionId: ends };

    const position = this.#nextPosition;
    const single = entry.isWhole && !entry.staged;
    if (!this.#append(executionId, entry.segments, single)) {
      return sequenceConflict(this.#storedLast(executionId));
    }
    if (claim !== undefined && !owned) {
      const { tenant, invocationId } = claim;
      const checksum = claimChecksum(tenant, invocationId, executionId);
      this.#insertClaim.run(tenant, invocationId, executionId, checksum);
    }
    if (input !== undefined) {
      this.#insertInput.run(
        executionId,
        input.invocation,
        input.invocationSha256,
        input.input,
        input.inputSha256,
        inputChecksum(executionId, input),
      );
    }
    if (record !== undefined) {
      this.#save(executionId, record, single ? position : null);
      if (entry.staged) this.#staging.settle(executionId);
      if (follows !== undefined && ends !== undefined) {
        this.#dependencies.admit(executionId, follows, ends, record);
      } else if (follows !== undefined && (!record.blocked || record.end !== undefined)) {
        this.#dependencies.unblock(executionId);
      }
      if (entry.member !== undefined && record.batch !== undefined) {
        this.#batches.join(executionId, { ...record.batch, ...entry.member });
      }
      if (record.batch !== undefined && record.memberEnd !== undefined) {
        this.#batches.end(record.batch, record.memberEnd);
      }
      if (record.end !== undefined) this.#dependencies.settle(executionId, record.end, follows !== undefined);
    }
    if (entry.meters !== undefined) for (const meter of entry.meters) this.#order.saveMeter(meter);
    if (entry.rows !== undefined) this.#sideRows.save(entry.rows);
    if (record?.end !== undefined) this.#lasts.delete(executionId);
    else this.#lasts.set(executionId, expected + entry.count);
    return { ok: true, position };
  }

  /** False where the log has such events already; only its first row can meet them. */
  #append(executionId: string, segments: readonly EncodedSegment[], single = false): boolean {
    for (const { first, last, meta, data } of segments) {
      const position = this.#nextPosition;
      const bytes = bytesChecksum(data);
      const checksum = segmentChecksum({
        position,
        execution_id: executionId,
        first_sequence: first,
        last_sequence: last,
        data_checksum: bytes,
        meta,
      });
      const { changes } =
        first === 1
          ? this.#insertFirst.run(
              position,
              executionId,
              first,
              last,
              checksum,
              bytes,
              meta,
              data,
              single ? 1 : null,
            )
          : this.#insertSegment.run(position, executionId, first, last, checksum, bytes, meta, data);
      if (changes === 0) return false;
      this.#nextPosition += last - first + 1;
    }
    return true;
  }

  #save(executionId: string, record: EncodedRecord, logPosition: number | null): void {
    const { taskId, taskRevision, status, createdAt, json, tenant, place } = record;
    const checksum = recordChecksum(
      executionId,
      taskId,
      taskRevision,
      status,
      createdAt,
      json,
      tenant,
      place,
    );
    const { line, waitsSince, wakesAt } = place;
    this.#saveRecord.run(
      executionId,
      taskId,
      taskRevision,
      status,
      createdAt,
      json,
      tenant,
      line,
      waitsSince,
      wakesAt,
      checksum,
      record.batch?.batchId ?? null,
      logPosition,
    );
    for (const [key, value] of record.labels) this.#insertLabel.run(tenant, key, value, executionId);
  }

  #storedLast(executionId: string): number {
    return (
      this.#singles.last(executionId) ??
      (this.#selectLast.get(executionId)?.last_sequence as number | undefined) ??
      0
    );
  }
}

/** A part of a batch is undone. */
class Undone extends Error {
  readonly result: BatchResult;

  constructor(result: BatchResult) {
    super('undone');
    this.result = result;
  }
}

function sequenceConflict(lastSequence: number): CommitResult {
  return { ok: false, conflict: 'sequence', lastSequence };
}
