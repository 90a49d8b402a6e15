import { type ExecutionRecord, type ExecutionStatus, executionStatuses } from '../../../domain/execution.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import type { StatusCounts } from '../../../domain/node-feed.ts';
import { type Scope, seesTask, taskKey } from '../../../domain/scope.ts';
import { scheduleLabel } from '../../sqlite/write/encoded-entry.ts';
import type { ExecutionFilter } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { storable } from '../write/parameters.ts';

/** Names of tasks that are kept, by their ids. */
const mostTaskNames = 10_000;

/** Reads execution records and what hangs on them. */
export class Records {
  readonly #readers: Readers;
  readonly #me: number;
  readonly #taskNames = new LruMap<string, string>(mostTaskNames);

  /** @param me whose are those that have not ended */
  constructor(readers: Readers, me: number) {
    this.#readers = readers;
    this.#me = me;
  }

  async get(executionId: string): Promise<ExecutionRecord | undefined> {
    const rows = await this.#readers.read(
      'cannot read an execution',
      'SELECT record FROM executions WHERE execution_id = $1 AND record IS NOT NULL',
      [executionId],
      'record',
    );
    return rows.map(recordOf)[0];
  }

  async byInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined> {
    const rows = await this.#readers.read(
      'cannot read an execution',
      `SELECT record FROM claims JOIN executions USING (execution_id)
       WHERE claims.tenant = $1 AND invocation_id = $2 AND record IS NOT NULL`,
      [tenant, storable(invocationId)],
      'by-invocation',
    );
    return rows.map(recordOf)[0];
  }

  /** What was invoked; undefined where there is no execution, null where it has no row. */
  async input(
    executionId: string,
  ): Promise<{ readonly invocation: string; readonly input: Uint8Array } | null | undefined> {
    const [row] = await this.#readers.read(
      'cannot read an input',
      `SELECT invocation, input FROM executions LEFT JOIN inputs USING (execution_id)
       WHERE execution_id = $1 AND record IS NOT NULL`,
      [executionId],
    );
    if (row === undefined) return undefined;
    const { invocation, input } = row;
    if (invocation === null || !(input instanceof Uint8Array)) return null;
    return {
      invocation: String(invocation),
      input: new Uint8Array(input.buffer, input.byteOffset, input.byteLength),
    };
  }

  async unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    const rows = await this.#readers.read(
      'cannot list executions',
      `SELECT record FROM executions
       WHERE owner = $3 AND status IN ('pending', 'running') AND line IS NULL AND execution_id > $1
       ORDER BY execution_id LIMIT $2`,
      [afterId, most(limit), this.#me],
    );
    return rows.map(recordOf);
  }

  async list(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    const { sql, values } = listing(filter);
    return (await this.#readers.read('cannot list executions', sql, values)).map(recordOf);
  }

  async counts(scope: Scope): Promise<StatusCounts> {
    const { tenant, tasks } = scope;
    if (tasks !== undefined && tenant !== undefined) return this.#countsByTask(scope, tenant);
    const rows = await this.#readers.read(
      'cannot count',
      `SELECT status, count(*) AS count FROM executions
       WHERE status IS NOT NULL AND ($1::text IS NULL OR tenant = $1) GROUP BY status`,
      [tenant ?? null],
    );
    const counts = noCounts();
    for (const { status, count } of rows) counts[status as ExecutionStatus] = Number(count);
    return counts;
  }

  async #countsByTask(scope: Scope, tenant: string): Promise<StatusCounts> {
    const rows = await this.#readers.read(
      'cannot count',
      `SELECT task_id, status, count(*) AS count FROM executions
       WHERE tenant = $1 AND status IS NOT NULL GROUP BY task_id, status`,
      [tenant],
    );
    const counts = noCounts();
    for (const { task_id, status, count } of rows) {
      const name = await this.#taskName(tenant, String(task_id));
      if (name === undefined || !seesTask(scope, { tenant }, name)) continue;
      counts[status as ExecutionStatus] += Number(count);
    }
    return counts;
  }

  /** As one of its executions has it: the task itself may have gone, or never have been here. */
  async #taskName(tenant: string, taskId: string): Promise<string | undefined> {
    const key = taskKey(tenant, taskId);
    const known = this.#taskNames.get(key);
    if (known !== undefined) return known;
    const rows = await this.#readers.read(
      'cannot count',
      'SELECT record FROM executions WHERE task_id = $1 AND tenant = $2 AND record IS NOT NULL LIMIT 1',
      [taskId, tenant],
    );
    const name = rows.map(recordOf)[0]?.taskName;
    if (name !== undefined) this.#taskNames.set(key, name);
    return name;
  }
}

export function recordOf({ record }: Row): ExecutionRecord {
  return JSON.parse(String(record)) as ExecutionRecord;
}

/** As many rows as the engine can be asked for. */
export function most(limit: number): number {
  return Math.min(Math.max(0, limit), 2 ** 31 - 1);
}

/** One condition for each thing that is asked for: the engine knows which index suits them. */
function listing(filter: ExecutionFilter): { readonly sql: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [most(filter.limit)];
  const conditions = ['record IS NOT NULL'];
  const where = (condition: string, value: unknown) => {
    if (value === undefined) return;
    values.push(value);
    conditions.push(condition.replace('?', `$${values.length}`));
  };
  where('tenant = ?', filter.tenant);
  where('task_id = ?', filter.taskId);
  where('batch_id = ?', filter.batchId);
  where('created_at >= ?', filter.createdAfter);
  where('created_at < ?', filter.createdBefore);
  where('execution_id < ?', filter.beforeId);
  const statuses = filter.statuses.length > 0 ? [...new Set(filter.statuses)] : undefined;
  if (statuses?.includes('completed') === false) conditions.push("status <> 'completed'");
  where('status = ANY (?::text[])', statuses);
  const { labels = {}, schedule } = filter;
  const listed = Object.entries(labels);
  if (schedule !== undefined) listed.push([scheduleLabel, schedule]);
  for (const [key, value] of listed) {
    values.push(key, value);
    conditions.push(`EXISTS (SELECT 1 FROM execution_labels l WHERE l.tenant = executions.tenant
      AND l.key = $${values.length - 1} AND l.value = $${values.length}
      AND l.execution_id = executions.execution_id)`);
  }
  const sql = `SELECT record FROM executions WHERE ${conditions.join(' AND ')}
    ORDER BY execution_id DESC LIMIT $1`;
  return { sql, values };
}

function noCounts(): Record<ExecutionStatus, number> {
  return Object.fromEntries(executionStatuses.map((status) => [status, 0])) as Record<
    ExecutionStatus,
    number
  >;
}
