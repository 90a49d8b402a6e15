import type { ExecutionRecord } from '../execution.ts';
import { tenantOf } from '../scope.ts';
import { isPriority, type Leaf } from './priority.ts';
import { gatesOf } from './task-gates.ts';

type Waiting = Pick<
  ExecutionRecord,
  | 'tenant'
  | 'priority'
  | 'fairnessKey'
  | 'taskId'
  | 'taskName'
  | 'taskRevision'
  | 'gates'
  | 'reserves'
  | 'placement'
>;

/** Where an execution waits. */
export function leafOf(record: Waiting | undefined): Leaf {
  const leaf: Leaf = {
    tenant: tenantOf(record ?? {}),
    priority: record?.priority ?? 'normal',
    fairnessKey: record?.fairnessKey ?? '',
  };
  if (record === undefined || (record.gates ?? record.reserves ?? record.placement) === undefined)
    return leaf;
  return { ...leaf, gates: gatesOf(record) };
}

/**
 * A leaf as the store names its line: `TENANT/PRIORITY/KEY`; neither a tenant nor a priority has a slash. With gates the
 * line is JSON of the same and the gates, so that those that one gate holds do not stand before others.
 */
export function lineOf({ tenant, priority, fairnessKey, gates }: Leaf): string {
  return gates === undefined || gates.length === 0
    ? `${tenant}/${priority}/${fairnessKey}`
    : JSON.stringify([tenant, priority, fairnessKey, gates]);
}

/** What waits for something else than a slot, as the store names its line: `pending:TENANT` or `running:TENANT`. */
export function restingLineOf(record: Pick<ExecutionRecord, 'tenant' | 'status'>): string {
  return `${record.status === 'pending' ? 'pending' : 'running'}:${tenantOf(record)}`;
}

/** Whose such a line is, and whether they count as not begun; undefined for any other text. */
export function restingOfLine(
  line: string,
): { readonly tenant: string; readonly isPending: boolean } | undefined {
  // Lines of leaves have a slash or are JSON.
  if (line.includes('/') || line.startsWith('[')) return undefined;
  const [status, tenant] = line.split(':', 2);
  if (tenant === undefined || (status !== 'pending' && status !== 'running')) return undefined;
  return { tenant, isPending: status === 'pending' };
}

/** The leaf of such a line; undefined for any other text. */
export function leafOfLine(line: string): Leaf | undefined {
  if (line.startsWith('[')) return gatedLeaf(line);
  const [tenant, priority] = line.split('/', 2);
  if (tenant === undefined || !isPriority(priority)) return undefined;
  return { tenant, priority, fairnessKey: line.slice(tenant.length + priority.length + 2) };
}

function gatedLeaf(line: string): Leaf | undefined {
  try {
    const [tenant, priority, fairnessKey, gates] = JSON.parse(line);
    return isPriority(priority) && Array.isArray(gates)
      ? { tenant, priority, fairnessKey, gates }
      : undefined;
  } catch {
    // A line that something else has written.
    return undefined;
  }
}
