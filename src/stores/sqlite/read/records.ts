import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, type ExecutionStatus, executionStatuses } from '../../../domain/execution.ts';
import type { StatusCounts } from '../../../domain/node-feed.ts';
import type { ExecutionFilter } from '../../store.ts';
import { recordColumns } from '../file/checksum.ts';
import { assertClaim, recordOf, wholeOf } from './row.ts';

const columns = `${recordColumns}, checksum`;

/** Reads execution records and what hangs on them. */
export class Records {
  readonly #db: DatabaseSync;
  readonly #byId: StatementSync;
  readonly #byInvocation: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #total: StatementSync;
  readonly #notCompleted: StatementSync;

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
      const { sql, values } = listing({ ...rest, limit });
      const rows = this.#db.prepare(sql).all(values);
      const whole = wholeOf(rows, recordOf);
      records.push(...whole);
      const beforeId = String(rows.at(-1)?.execution_id);
      const moves = rest.beforeId === undefined || beforeId < rest.beforeId;
      if (whole.length === rows.length || rows.length < limit || !moves) return records;
      rest = { ...rest, beforeId };
    }
  }
}

/**
 * One select for each status, which SQLite merges in order of id, so that each can walk the index that suits
 * it and stop at the limit. Repeating `status <> 'completed'` is what lets it use the partial index.
 */
function listing(filter: ExecutionFilter): { sql: string; values: Record<string, SQLInputValue> } {
  const values: Record<string, SQLInputValue> = { limit: Math.max(0, filter.limit) };
  const conditions: string[] = [];
  const where = (condition: string, name: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    conditions.push(`${condition} :${name}`);
    values[name] = value;
  };
  where('task_id =', 'taskId', filter.taskId);
  where('created_at >=', 'createdAfter', filter.createdAfter);
  where('created_at <', 'createdBefore', filter.createdBefore);
  where('execution_id <', 'beforeId', filter.beforeId);

  const select = (status: readonly string[]) => {
    const all = [...status, ...conditions];
    return `SELECT ${columns} FROM executions${all.length > 0 ? ` WHERE ${all.join(' AND ')}` : ''}`;
  };
  const selects = [...new Set(filter.statuses)].map((status, index) => {
    values[`status${index}`] = status;
    const equal = `status = :status${index}`;
    return select(status === 'completed' ? [equal] : [equal, "status <> 'completed'"]);
  });
  const union = selects.length > 0 ? selects.join(' UNION ALL ') : select([]);
  return { sql: `${union} ORDER BY execution_id DESC LIMIT :limit`, values };
}
