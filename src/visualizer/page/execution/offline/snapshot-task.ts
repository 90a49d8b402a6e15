/** The task of a snapshot as the page shows it. */
import { tenantOf } from '../../../../domain/scope.ts';
import type { TaskPart } from '../../../../domain/snapshot/parts.ts';
import type { Task } from '../../model/task.ts';
import type { Json } from '../../wire.ts';

export function taskOfPart({ task }: TaskPart): Task {
  const { definition } = task;
  return {
    id: task.taskId,
    tenant: tenantOf(task),
    name: definition.name,
    revision: task.revision,
    runtime: definition.runtime,
    description: definition.description ?? '',
    functions: [],
    definition: definition as unknown as { readonly [name: string]: Json },
    wit: '',
    loosened: [],
    savings: undefined,
    updatedAt: task.updatedAt,
  };
}
