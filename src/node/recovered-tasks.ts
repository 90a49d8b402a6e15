import type { ExecutionRecord } from '../domain/execution.ts';
import { owned, type Scope, sees, type TaskKey, taskKey, tenantOf } from '../domain/scope.ts';

/** How many executions each task had that the node recovered from its earlier run. */
export class RecoveredTasks {
  readonly #tasks = new Map<
    TaskKey,
    { readonly tenant?: string; readonly taskName: string; count: number }
  >();

  add(record: Pick<ExecutionRecord, 'tenant' | 'taskName'>): void {
    const { taskName } = record;
    const tenant = tenantOf(record);
    const key = taskKey(tenant, taskName);
    const task = this.#tasks.get(key);
    if (task === undefined) this.#tasks.set(key, { ...owned(tenant), taskName, count: 1 });
    else task.count += 1;
  }

  in(scope: Scope): number {
    let sum = 0;
    for (const task of this.#tasks.values()) if (sees(scope, task)) sum += task.count;
    return sum;
  }
}
