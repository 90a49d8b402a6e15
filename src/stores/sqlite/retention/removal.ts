/**
 * Deletes logs and executions over the writer's connection, each call within a transaction of its caller's.
 *
 * A long log takes several calls. Its rows go from the oldest on, and its record says that they are gone before the
 * first of them is: a reader finds the rest or is told, and a crash in between leaves an execution whose record holds.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, type ExecutionStatus, isTerminal } from '../../../domain/execution.ts';
import type { DeletedExecution } from '../../../domain/node-feed.ts';
import { tenantOf } from '../../../domain/scope.ts';
import { notPending, recordChecksum, recordColumns } from '../file/checksum.ts';
import { Floor } from '../file/positions.ts';
import { recordOf, wholeOf } from '../read/row.ts';
import { resultOf, type SegmentRow, segmentColumns } from '../read/segment.ts';
import { SingleLogs } from '../write/single-logs.ts';
import { inTransaction } from '../write/transaction.ts';
import { Budget } from './budget.ts';

export interface Removed {
  /** There was a finished execution. */
  readonly found: boolean;
  /** The execution is gone. Where it is not yet, call again with the same arguments. */
  readonly done: boolean;
  /** Digests of files that it named. */
  readonly files: readonly string[];
}

export class Removal {
  readonly #db: DatabaseSync;
  readonly #floor: Floor;
  readonly #status: StatementSync;
  readonly #oldestRows: StatementSync;
  readonly #singleRow: StatementSync;
  readonly #oldestRow: StatementSync;
  readonly #singles: SingleLogs;
  readonly #deleteRow: StatementSync;
  readonly #replaceRow: StatementSync;
  readonly #row: StatementSync;
  readonly #replaceRecord: StatementSync;
  readonly #files: StatementSync;
  readonly #dependant: StatementSync;
  readonly #deleteLabel: StatementSync;
  readonly #deleteRest: readonly StatementSync[];

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#floor = new Floor(db);
    this.#status = db.prepare('SELECT status FROM executions WHERE execution_id = ?');
    this.#oldestRows = db.prepare(
      `SELECT ${segmentColumns}, length(data) AS bytes FROM segments
       WHERE execution_id = ? AND single IS NULL ORDER BY first_sequence LIMIT ?`,
    );
    this.#singleRow = db.prepare(
      `SELECT ${segmentColumns}, length(data) AS bytes FROM segments
       WHERE position = (SELECT log_position FROM executions WHERE execution_id = ?1) AND execution_id = ?1`,
    );
    this.#oldestRow = db.prepare(
      `SELECT last_sequence FROM segments
       WHERE execution_id = ? AND single IS NULL ORDER BY first_sequence LIMIT 1`,
    );
    this.#singles = new SingleLogs(db);
    this.#deleteRow = db.prepare('DELETE FROM segments WHERE position = ?');
    this.#replaceRow = db.prepare(
      `UPDATE segments SET position = ?, first_sequence = ?, checksum = ?, data_checksum = ?, meta = ?, data = NULL
       WHERE position = ?`,
    );
    this.#row = db.prepare(`SELECT ${recordColumns}, checksum FROM executions WHERE execution_id = ?`);
    this.#replaceRecord = db.prepare('UPDATE executions SET record = ?, checksum = ? WHERE execution_id = ?');
    this.#files = db.prepare('SELECT invocation_sha256, input_sha256 FROM inputs WHERE execution_id = ?');
    this.#dependant = db.prepare('SELECT 1 FROM dependencies WHERE dependency_id = ? AND active = 1 LIMIT 1');
    this.#deleteLabel = db.prepare(
      'DELETE FROM execution_labels WHERE tenant = ? AND key = ? AND value = ? AND execution_id = ?',
    );
    this.#deleteRest = [
      ...['inputs', 'claims', 'executions'].map((table) => `${table} WHERE execution_id = ?`),
      'dependencies WHERE dependant_id = ?',
    ].map((rows) => db.prepare(`DELETE FROM ${rows}`));
  }

  /** Deletes a finished execution, as much of it as one step may, in a transaction of its own. */
  delete(executionId: string): Removed {
    const status = this.#status.get(executionId)?.status as ExecutionStatus | undefined;
    if (status === undefined || !isTerminal(status) || this.isFollowed(executionId)) {
      return { found: false, done: true, files: [] };
    }
    return inTransaction(this.#db, () => {
      const { gone, files } = this.remove(executionId, new Budget());
      return { found: true, done: gone !== undefined, files };
    });
  }

  /** Deletes an execution; `gone` is absent where the budget was spent before. */
  remove(
    executionId: string,
    budget: Budget,
  ): { readonly gone?: DeletedExecution; readonly files: readonly string[] } {
    this.#floor.raise();
    const last = this.#shorten(executionId, budget);
    if (last === 'more') {
      this.#markLog(executionId);
      return { files: [] };
    }
    if (last !== undefined) this.#deleteRow.run(last.position);
    const names = this.#files.get(executionId);
    const files = Object.values(names ?? {}).filter((name) => name !== null) as string[];
    const record = this.#record(executionId);
    for (const [key, value] of Object.entries(record?.labels ?? {})) {
      this.#deleteLabel.run(tenantOf(record ?? {}), key, value, executionId);
    }
    for (const statement of this.#deleteRest) statement.run(executionId);
    return { gone: goneOf(executionId, record), files };
  }

  /** One that has not ended follows it, and may read its output. */
  isFollowed(executionId: string): boolean {
    return this.#dependant.get(executionId) !== undefined;
  }

  /** Whether a finished execution's log has more than its result: also one that was being purged when the node died. */
  hasLog({ executionId, oldestSequence = 1, lastSequence }: ExecutionRecord): boolean {
    if (oldestSequence < lastSequence) return true;
    const oldest =
      this.#singles.last(executionId) ??
      (this.#oldestRow.get(executionId)?.last_sequence as number | undefined);
    return oldest !== undefined && oldest < lastSequence;
  }

  /** Deletes a log but for its result; false where the budget was spent before. */
  purge(executionId: string, budget: Budget): boolean {
    this.#floor.raise();
    this.#markLog(executionId);
    const last = this.#shorten(executionId, budget);
    if (last === 'more') return false;
    const result = last === undefined ? undefined : resultOf(last);
    if (last !== undefined && result !== undefined && last.meta !== result.meta) {
      const { position, first_sequence, checksum, data_checksum, meta } = result;
      this.#replaceRow.run(position, first_sequence, checksum, data_checksum, meta, last.position);
      this.#singles.move(executionId, last.position, position);
    }
    return true;
  }

  /** Its record says from now on that only its last event is left. One that is damaged is not made to look whole. */
  #markLog(executionId: string): void {
    const record = this.#record(executionId);
    if (record === undefined) return;
    const { taskId, taskRevision, status, createdAt, lastSequence } = record;
    const json = JSON.stringify({ ...record, oldestSequence: lastSequence });
    const tenant = tenantOf(record);
    const checksum = recordChecksum(
      executionId,
      taskId,
      taskRevision,
      status,
      createdAt,
      json,
      tenant,
      notPending,
    );
    this.#replaceRecord.run(json, checksum, executionId);
  }

  /** Undefined for one that is damaged, too: what it had to be listed by leads to nothing from then on. */
  #record(executionId: string): ExecutionRecord | undefined {
    const row = this.#row.get(executionId);
    return row === undefined ? undefined : wholeOf([row], recordOf)[0];
  }

  /** Deletes the rows of a log but for the last, which it returns; undefined where there is none. */
  #shorten(executionId: string, budget: Budget): SegmentRow | undefined | 'more' {
    if (budget.spent) return 'more';
    const most = budget.rows + 1;
    const single = this.#singleRow.get(executionId);
    const rows = single === undefined ? this.#oldestRows.all(executionId, most) : [single];
    for (const row of rows.slice(0, -1)) {
      if (budget.spent) return 'more';
      this.#deleteRow.run(row.position as number);
      budget.take(Number(row.bytes ?? 0));
    }
    const last = rows.at(-1);
    if (rows.length === most) return 'more';
    if (last === undefined) return undefined;
    budget.take(Number(last.bytes ?? 0));
    return { ...(last as unknown as SegmentRow), data: null };
  }
}

/** Whose it was, as far as its record can say. */
function goneOf(executionId: string, record: ExecutionRecord | undefined): DeletedExecution {
  if (record === undefined) return { executionId };
  return { executionId, tenant: tenantOf(record), taskName: record.taskName };
}
