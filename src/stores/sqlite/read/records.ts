import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, type ExecutionStatus, executionStatuses } from '../../../domain/execution.ts';
import { hasLabels, type Labels } from '../../../domain/labels.ts';
import type { StatusCounts } from '../../../domain/node-feed.ts';
import { DamagedError, type ExecutionFilter } from '../../store.ts';
import { type Counts, columns, listing } from './execution-listing.ts';
import { assertClaim, type Row, recordOf, wholeOf } from './row.ts';

/** Executions of a label or in a status that are looked at to find out of which there are fewer. */
const mostCounted = 1000;

/** Reads execution records and what hangs on them. */
export class Records {
  readonly #db: DatabaseSync;
  readonly #byId: StatementSync;
  readonly #byInvocation: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #total: StatementSync;
  readonly #notCompleted: StatementSync;
  readonly #counts: Counts;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#byId = db.prepare(`SELECT ${columns} FROM executions WHERE execution_id = ?`);
    this.#byInvocation = db.prepare(
      `SELECT ${columns
        .split(', ')
        .map((column) => `e.${column}`)
        .join(', ')}, invocation_id, c.execution_id AS claimed_by, c.checksum AS claim_checksum
       FROM claims AS c LEFT JOIN executions AS e USING (execution_id) WHERE invocation_id = ?`,
    );
    const one = (status: ExecutionStatus) =>
      `SELECT ${columns} FROM executions
       WHERE status = '${status}' AND status <> 'completed' AND execution_id > ?1`;
    this.#unfinished = db.prepare(
      `${one('pending')} UNION ALL ${one('running')} ORDER BY execution_id LIMIT ?2`,
    );
    const counted = (where: string) =>
      db.prepare(`SELECT count(*) AS count FROM (SELECT 1 FROM ${where} LIMIT ${mostCounted})`);
    const labelled = counted('execution_labels WHERE key = ? AND value = ?');
    const inStatus = counted("executions WHERE status = ? AND status <> 'completed'");
    this.#counts = {
      label: ([key, value]) => Number(labelled.get(key, value)?.count),
      status: (status) => Number(inStatus.get(status)?.count),
    };
    // Both read an index only.
    this.#total = db.prepare('SELECT count(*) AS count FROM executions');
    this.#notCompleted = db.prepare(
      "SELECT status, count(*) AS count FROM executions WHERE status <> 'completed' GROUP BY status",
    );
  }

  get(executionId: string): ExecutionRecord | undefined {
    const row = this.#byId.get(executionId);
    return row === undefined ? undefined : recordOf(row);
  }

  has(executionId: string): boolean {
    return this.#byId.get(executionId) !== undefined;
  }

  byInvocation(invocationId: string): ExecutionRecord | undefined {
    const row = this.#byInvocation.get(invocationId);
    if (row === undefined) return undefined;
    assertClaim(row);
    return row.execution_id === null ? undefined : recordOf(row);
  }

  /** Empty only where there is none, however many in between are damaged. */
  unfinished(afterId: string, limit: number): ExecutionRecord[] {
    let after = afterId;
    for (;;) {
      const rows = this.#unfinished.all(after, Math.max(0, limit));
      const records = wholeOf(rows, recordOf);
      const last = rows.at(-1);
      if (last === undefined || records.length > 0) return records;
      after = last.execution_id as string;
    }
  }

  counts(): StatusCounts {
    const counts = Object.fromEntries(executionStatuses.map((status) => [status, 0])) as Record<
      ExecutionStatus,
      number
    >;
    let others = 0;
    for (const { status, count } of this.#notCompleted.all()) {
      counts[status as ExecutionStatus] = Number(count);
      others += Number(count);
    }
    counts.completed = Number(this.#total.get()?.count) - others;
    return counts;
  }

  list(filter: ExecutionFilter): ExecutionRecord[] {
    const records: ExecutionRecord[] = [];
    // As many as are asked for, however many in between are damaged: fewer would be taken for the end.
    for (let rest = filter; ; ) {
      const limit = filter.limit - records.length;
      const { sql, values } = listing({ ...rest, limit }, this.#counts);
      const rows = this.#db.prepare(sql).all(values);
      const whole = wholeOf(rows, (row) => labelledRecord(row, filter.labels));
      records.push(...whole);
      const beforeId = String(rows.at(-1)?.execution_id);
      const moves = rest.beforeId === undefined || beforeId < rest.beforeId;
      if (whole.length === rows.length || rows.length < limit || !moves) return records;
      rest = { ...rest, beforeId };
    }
  }
}

/** Throws DamagedError also where the record does not have what it was found by. */
function labelledRecord(row: Row, labels: Labels | undefined): ExecutionRecord {
  const record = recordOf(row);
  if (hasLabels(record.labels, labels)) return record;
  throw new DamagedError(`what ${record.executionId} is listed by is damaged`);
}
