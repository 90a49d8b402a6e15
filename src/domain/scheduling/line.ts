import type { ExecutionRecord } from '../execution.ts';
import { tenantOf } from '../scope.ts';
import { type Leaf, type Priority, priorities } from './run-order.ts';

/** Where an execution waits. */
export function leafOf(record: Pick<ExecutionRecord, 'tenant' | 'priority' | 'fairnessKey'>): Leaf {
  return {
    tenant: tenantOf(record),
    priority: record.priority ?? 'normal',
    fairnessKey: record.fairnessKey ?? '',
  };
}

/** A leaf as the store names its line: `TENANT/PRIORITY/KEY`; neither a tenant nor a priority has a slash. */
export function lineOf({ tenant, priority, fairnessKey }: Leaf): string {
  return `${tenant}/${priority}/${fairnessKey}`;
}

/** The leaf of such a line; undefined for any other text. */
export function leafOfLine(line: string): Leaf | undefined {
  const [tenant, priority] = line.split('/', 2);
  if (tenant === undefined || !isPriority(priority)) return undefined;
  return { tenant, priority, fairnessKey: line.slice(tenant.length + priority.length + 2) };
}

function isPriority(text: string | undefined): text is Priority {
  return (priorities as readonly (string | undefined)[]).includes(text);
}
