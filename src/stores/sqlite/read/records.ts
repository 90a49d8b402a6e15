import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, type ExecutionStatus, executionStatuses } from '../../../domain/execution.ts';
import { hasLabels } from '../../../domain/labels.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import type { StatusCounts } from '../../../domain/node-feed.ts';
import { type Scope, seesTask, taskKey } from '../../../domain/scope.ts';
import { DamagedError, type ExecutionFilter } from '../../store.ts';
import { type Counts, columns, labelTenants, listing, mostCounted } from './execution-listing.ts';
import { assertClaim, isHidden, type Row, recordOf, shown, wholeOf } from './row.ts';

/** Names of tasks that are kept, by their ids. */
const mostTaskNames = 10_000;

interface Counting {
  readonly ofAll: StatementSync;
  readonly ofTenant: StatementSync;
}

/** Reads execution records and what hangs on them. */
export class Records {
  readonly #db: DatabaseSync;
  readonly #hidden: ReadonlySet<string>;
  readonly #byId: StatementSync;
  readonly #exists: StatementSync;
  readonly #byInvocation: StatementSync;
  readonly #unfinished: StatementSync;
  readonly #total: Counting;
  readonly #notCompleted: Counting;
  readonly #totalByTask: StatementSync;
  readonly #notCompletedByTask: StatementSync;
  readonly #oneOfTask: StatementSync;
  readonly #taskNames = new LruMap<string, string>(mostTaskNames);
  readonly #counts: Counts;
  readonly #ofBatch: StatementSync;

  /** `hidden` are batches whose members are not there. */
  constructor(db: DatabaseSync, hidden: ReadonlySet<string> = nothing) {
    this.#db = db;
    this.#hidden = hidden;
    this.#byId = db.prepare(`SELECT ${columns} FROM executions WHERE execution_id = ?`);
    this.#exists = db.prepare('SELECT 1 FROM executions WHERE execution_id = ?');
    this.#byInvocation = db.prepare(
      `SELECT ${columns
        .split(', ')
        .map((column) => `e.${column}`)
        .join(
          ', ',
        )}, c.tenant AS claim_tenant, invocation_id, c.execution_id AS claimed_by, c.checksum AS claim_checksum
       FROM claims AS c LEFT JOIN executions AS e USING (execution_id) WHERE c.tenant = ? AND invocation_id = ?`,
    );
    this.#unfinished = db.prepare(
      `SELECT ${columns} FROM executions WHERE line = '' AND waits_since = 0 AND execution_id > ?1
       UNION ALL SELECT ${columns} FROM executions
       WHERE status = 'running' AND status <> 'completed' AND line IS NULL AND execution_id > ?1
       ORDER BY execution_id LIMIT ?2`,
    );
    const counted = (where: string) =>
      db.prepare(`SELECT count(*) AS count FROM (SELECT 1 FROM ${where} LIMIT ${mostCounted})`);
    const labelled = counted('execution_labels WHERE tenant = ? AND key = ? AND value = ?');
    const labelledAnywhere = counted(
      `execution_labels WHERE tenant IN (${labelTenants}) AND key = ? AND value = ?`,
    );
    const inStatus = counted("executions WHERE tenant = ? AND status = ? AND status <> 'completed'");
    const inStatusAnywhere = counted("executions WHERE status = ? AND status <> 'completed'");
    const countIn = (row: Row | undefined): number => Number(row?.count);
    this.#counts = {
      label: ([key, value], tenant) =>
        countIn(tenant === undefined ? labelledAnywhere.get(key, value) : labelled.get(tenant, key, value)),
      status: (status, tenant) =>
        countIn(tenant === undefined ? inStatusAnywhere.get(status) : inStatus.get(tenant, status)),
    };
    this.#ofBatch = db.prepare(
      'SELECT tenant, task_id, count(*) AS count FROM executions WHERE batch_id = ? GROUP BY tenant, task_id',
    );
    // All of these read an index only.
    const total = 'SELECT count(*) AS count FROM executions';
    this.#total = { ofAll: db.prepare(total), ofTenant: db.prepare(`${total} WHERE tenant = ?`) };
    this.#totalByTask = db.prepare(
      'SELECT task_id, count(*) AS count FROM executions WHERE tenant = ? GROUP BY task_id',
    );
    this.#notCompletedByTask = db.prepare(
      `SELECT task_id, status, count(*) AS count FROM executions INDEXED BY executions_by_tenant_status
       WHERE tenant = ? AND status <> 'completed' GROUP BY status, task_id`,
    );
    this.#oneOfTask = db.prepare(
      `SELECT ${columns} FROM executions WHERE task_id = ? AND tenant = ? LIMIT 1`,
    );
    const notCompleted = (where: string) =>
      db.prepare(
        `SELECT status, count(*) AS count FROM executions WHERE ${where} status <> 'completed' GROUP BY status`,
      );
    this.#notCompleted = { ofAll: notCompleted(''), ofTenant: notCompleted('tenant = ? AND') };
  }

  get(executionId: string): ExecutionRecord | undefined {
    const row = this.#byId.get(executionId);
    const record = row === undefined ? undefined : recordOf(row);
    return record !== undefined && isHidden(record, this.#hidden) ? undefined : record;
  }

  has(executionId: string): boolean {
    return this.#exists.get(executionId) !== undefined;
  }

  byInvocation(tenant: string, invocationId: string): ExecutionRecord | undefined {
    const row = this.#byInvocation.get(tenant, invocationId);
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
      // Where the index has another key than the row, it would lead to the same rows again.
      const next = String(last.execution_id);
      if (next <= after) return [];
      after = next;
    }
  }

  counts(scope: Scope): StatusCounts {
    const counts = this.#allCounts(scope);
    let hidden = 0;
    for (const batchId of this.#hidden) hidden += this.#membersOf(batchId, scope);
    return { ...counts, pending: counts.pending - hidden };
  }

  /** How many members of a batch are written and in scope. */
  #membersOf(batchId: string, scope: Scope): number {
    let members = 0;
    for (const { tenant: of, task_id: taskId, count } of this.#ofBatch.all(batchId)) {
      const tenant = String(of);
      if (scope.tenant !== undefined && scope.tenant !== tenant) continue;
      if (scope.tasks !== undefined && scope.tenant !== undefined) {
        const name = this.#taskName(tenant, String(taskId));
        if (name === undefined || !seesTask(scope, { tenant }, name)) continue;
      }
      members += Number(count);
    }
    return members;
  }

  #allCounts(scope: Scope): StatusCounts {
    const { tenant, tasks } = scope;
    if (tasks !== undefined && tenant !== undefined) return this.#countsByTask(scope, tenant);
    const counts = noCounts();
    let others = 0;
    const [of, values] = tenant === undefined ? (['ofAll', []] as const) : (['ofTenant', [tenant]] as const);
    for (const { status, count } of this.#notCompleted[of].all(...values)) {
      counts[status as ExecutionStatus] = Number(count);
      others += Number(count);
    }
    counts.completed = Number(this.#total[of].get(...values)?.count) - others;
    return counts;
  }

  #countsByTask(scope: Scope, tenant: string): StatusCounts {
    const counts = noCounts();
    const isSeen = (row: Row): boolean => {
      const name = this.#taskName(tenant, String(row.task_id));
      return name !== undefined && seesTask(scope, { tenant }, name);
    };
    for (const row of this.#totalByTask.all(tenant)) if (isSeen(row)) counts.completed += Number(row.count);
    for (const row of this.#notCompletedByTask.all(tenant)) {
      if (!isSeen(row)) continue;
      counts[row.status as ExecutionStatus] += Number(row.count);
      counts.completed -= Number(row.count);
    }
    return counts;
  }

  /** As one of its executions has it: the task itself may have gone, or never have been here. */
  #taskName(tenant: string, taskId: string): string | undefined {
    const key = taskKey(tenant, taskId);
    let name = this.#taskNames.get(key);
    if (name === undefined) {
      const row = this.#oneOfTask.get(taskId, tenant);
      name = row === undefined ? undefined : wholeOf([row], recordOf)[0]?.taskName;
      if (name !== undefined) this.#taskNames.set(key, name);
    }
    return name;
  }

  list(filter: ExecutionFilter): ExecutionRecord[] {
    const records: ExecutionRecord[] = [];
    // As many as are asked for, however many in between are damaged: fewer would be taken for the end.
    for (let rest = filter; ; ) {
      const limit = filter.limit - records.length;
      const { sql, values } = listing({ ...rest, limit }, this.#counts);
      const rows = this.#db.prepare(sql).all(values);
      const whole = wholeOf(rows, (row) => shown(labelledRecord(row, filter), this.#hidden));
      records.push(...whole);
      const beforeId = String(rows.at(-1)?.execution_id);
      const moves = rest.beforeId === undefined || beforeId < rest.beforeId;
      if (whole.length === rows.length || rows.length < limit || !moves) return records;
      rest = { ...rest, beforeId };
    }
  }
}

const nothing: ReadonlySet<string> = new Set();

function noCounts(): Record<ExecutionStatus, number> {
  return Object.fromEntries(executionStatuses.map((status) => [status, 0])) as Record<
    ExecutionStatus,
    number
  >;
}

/** Throws DamagedError also where the record does not have what it was found by. */
function labelledRecord(row: Row, { labels, schedule }: ExecutionFilter): ExecutionRecord {
  const record = recordOf(row);
  const isOfSchedule = schedule === undefined || record.schedule === schedule;
  if (isOfSchedule && hasLabels(record.labels, labels)) return record;
  throw new DamagedError(`what ${record.executionId} is listed by is damaged`);
}
