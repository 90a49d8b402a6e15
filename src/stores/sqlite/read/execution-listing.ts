/** How a list of executions is read: by the index that suits what is asked for, so that a page costs about a page. */
import type { SQLInputValue } from 'node:sqlite';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import type { ExecutionFilter } from '../../store.ts';
import { recordColumns } from '../file/checksum.ts';
import type { Label } from '../write/encoded-entry.ts';

export const columns = `${recordColumns}, checksum`;

/** How many executions there are, as far as they are counted. */
export interface Counts {
  label(label: Label): number;
  /** Of one that has an index: any but `completed`. */
  status(status: ExecutionStatus): number;
}

/** The labels, the one first that the fewest have; `walked` where fewer have it than are in the statuses. */
function ranked(
  { labels = {}, statuses }: ExecutionFilter,
  counts: Counts,
): { readonly labels: readonly Label[]; readonly walked: boolean } {
  const all = Object.entries(labels).map((label) => ({ label, count: counts.label(label) }));
  all.sort((a, b) => a.count - b.count);
  const [first] = all;
  if (first === undefined) return { labels: [], walked: false };
  const indexed = statuses.length > 0 && !statuses.includes('completed');
  const others = indexed
    ? [...new Set(statuses)].reduce((sum, status) => sum + counts.status(status), 0)
    : Number.POSITIVE_INFINITY;
  return { labels: all.map(({ label }) => label), walked: first.count <= others };
}

/** Walks what has the label, the newest first, and stops at the limit; each other condition costs a look by id. */
function labelled(
  [key, value]: Label,
  { statuses, beforeId }: ExecutionFilter,
  conditions: readonly string[],
  values: Record<string, SQLInputValue>,
): string {
  Object.assign(values, { key, value });
  const all = ['first.key = :key', 'first.value = :value', ...conditions];
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
  where('task_id =', 'taskId', filter.taskId);
  where('created_at >=', 'createdAfter', filter.createdAfter);
  where('created_at <', 'createdBefore', filter.createdBefore);
  where('executions.execution_id <', 'beforeId', filter.beforeId);

  const { labels, walked } = ranked(filter, counts);
  for (const [index, [key, value]] of labels.slice(walked ? 1 : 0).entries()) {
    conditions.push(`EXISTS (SELECT 1 FROM execution_labels AS l
      WHERE l.key = :key${index} AND l.value = :value${index} AND l.execution_id = executions.execution_id)`);
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
