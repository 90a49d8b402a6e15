/** How a list of executions is read: by the index that suits what is asked for, so that a page costs about a page. */
import type { SQLInputValue } from 'node:sqlite';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import type { ExecutionFilter } from '../../store.ts';
import { recordColumns } from '../file/checksum.ts';
import { type Label, scheduleLabel } from '../write/encoded-entry.ts';

export const columns = `${recordColumns}, checksum`;

/** How many executions there are of a tenant, or of all, as far as they are counted: up to `mostCounted`. */
export interface Counts {
  label(label: Label, tenant: string | undefined): number;
  /** Of one that has an index: any but `completed`. */
  status(status: ExecutionStatus, tenant: string | undefined): number;
}

/** Executions of a label or in a status that are looked at to find out of which there are fewer. */
export const mostCounted = 1000;

/** Those that have an execution with a label, each by a look into the index. */
export const labelTenants = `WITH RECURSIVE tenants (tenant) AS (
    SELECT min(tenant) FROM execution_labels UNION ALL
    SELECT (SELECT min(tenant) FROM execution_labels AS l WHERE l.tenant > tenants.tenant) FROM tenants
    WHERE tenant IS NOT NULL
  ) SELECT tenant FROM tenants WHERE tenant IS NOT NULL`;

/**
 * The labels, the one first that the fewest have; `walked` where fewer have it than are in the statuses, and, where
 * those of all tenants have to be put in order, few enough for that.
 */
function ranked(
  { labels = {}, schedule, statuses, tenant }: ExecutionFilter,
  counts: Counts,
): { readonly labels: readonly Label[]; readonly walked: boolean } {
  const wanted = [
    ...Object.entries(labels),
    ...(schedule === undefined ? [] : [[scheduleLabel, schedule] as const]),
  ];
  const all = wanted.map((label) => ({ label, count: counts.label(label, tenant) }));
  all.sort((a, b) => a.count - b.count);
  const [first] = all;
  if (first === undefined) return { labels: [], walked: false };
  const indexed = statuses.length > 0 && !statuses.includes('completed');
  const others = indexed
    ? [...new Set(statuses)].reduce((sum, status) => sum + counts.status(status, tenant), 0)
    : Number.POSITIVE_INFINITY;
  const few = tenant !== undefined || first.count < mostCounted;
  return { labels: all.map(({ label }) => label), walked: few && first.count <= others };
}

/** Walks what has the label, the newest first, and stops at the limit; each other condition costs a look by id. */
function labelled(
  [key, value]: Label,
  { statuses, beforeId, tenant }: ExecutionFilter,
  conditions: readonly string[],
  values: Record<string, SQLInputValue>,
): string {
  Object.assign(values, { key, value });
  const ofTenant = tenant === undefined ? `first.tenant IN (${labelTenants})` : 'first.tenant = :tenant';
  const all = [ofTenant, 'first.key = :key', 'first.value = :value', ...conditions];
  if (beforeId !== undefined) all.push('first.execution_id < :beforeId');
  const names = [...new Set(statuses)].map((status, index) => {
    values[`status${index}`] = status;
    return `:status${index}`;
  });
  if (names.length > 0) all.push(`status IN (${names.join(', ')})`);
  const found = columns.split(', ').map((column) => `executions.${column}`);
  // The order of a CROSS JOIN is kept.
  return `SELECT ${found.join(', ')} FROM execution_labels AS first
    CROSS JOIN executions ON executions.execution_id = first.execution_id
    WHERE ${all.join(' AND ')} ORDER BY first.execution_id DESC LIMIT :limit`;
}

/**
 * The select of a list. One select for each status, which SQLite merges in order of id, so that each can walk the
 * index that suits it and stop at the limit. Repeating `status <> 'completed'` is what lets it use the partial index.
 */
export function listing(
  filter: ExecutionFilter,
  counts: Counts,
): { sql: string; values: Record<string, SQLInputValue> } {
  const values: Record<string, SQLInputValue> = { limit: Math.max(0, filter.limit) };
  const conditions: string[] = [];
  const where = (condition: string, name: string, value: SQLInputValue | undefined) => {
    if (value === undefined) return;
    conditions.push(`${condition} :${name}`);
    values[name] = value;
  };
  // A task has fewer than its tenant: the plus keeps SQLite from the index of the tenant's.
  const ofTenant = filter.taskId === undefined ? 'executions.tenant =' : '+executions.tenant =';
  where(ofTenant, 'tenant', filter.tenant);
  where('task_id =', 'taskId', filter.taskId);
  where('executions.batch_id =', 'batchId', filter.batchId);
  where('created_at >=', 'createdAfter', filter.createdAfter);
  where('created_at <', 'createdBefore', filter.createdBefore);
  where('executions.execution_id <', 'beforeId', filter.beforeId);

  const { labels, walked } = ranked(filter, counts);
  for (const [index, [key, value]] of labels.slice(walked ? 1 : 0).entries()) {
    conditions.push(`EXISTS (SELECT 1 FROM execution_labels AS l
      WHERE l.tenant = executions.tenant AND l.key = :key${index} AND l.value = :value${index}
        AND l.execution_id = executions.execution_id)`);
    values[`key${index}`] = key;
    values[`value${index}`] = value;
  }
  const [first] = labels;
  if (walked && first !== undefined) return { sql: labelled(first, filter, conditions, values), values };

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
