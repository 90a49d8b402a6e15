import { create } from '@bufbuild/protobuf';
import type { Instances } from '../domain/instance.ts';
import type { Scope } from '../domain/scope.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { UnaryHandler } from './call.ts';
import {
  type ListInstancesRequest,
  type ListInstancesResponse,
  ListInstancesResponseSchema,
} from './gen/spearlet/instance_pb.js';
import { reference } from './wire/fields.ts';
import { instanceToWire, poolToWire } from './wire/instance.ts';

export interface InstanceServiceOptions {
  readonly instances: Instances;
  readonly tasks: Tasks;
}

export interface InstanceService {
  readonly listInstances: UnaryHandler<ListInstancesRequest, ListInstancesResponse>;
}

export function createInstanceService({ instances, tasks }: InstanceServiceOptions): InstanceService {
  return {
    async listInstances(request, { scope, principal }) {
      const taskId = request.task === '' ? undefined : await taskIdOf(scope, request.task);
      const all = instances.instances();
      const seen = await tasksSeen(scope, [
        ...all.flatMap(({ task }) => task?.taskId ?? []),
        ...instances.pools().map((pool) => pool.taskId),
      ]);
      // What serves all tasks, and so all tenants, says how much others do.
      const isShown = (id: string | undefined) =>
        id === undefined
          ? taskId === undefined && principal.role === 'admin'
          : seen.has(id) && (taskId ?? id) === id;
      const pools = instances.pools().filter((pool) => isShown(pool.taskId));
      return create(ListInstancesResponseSchema, {
        instances: all.filter((instance) => isShown(instance.task?.taskId)).map(instanceToWire),
        pools: pools.map((pool) =>
          poolToWire(
            pool,
            all.filter(({ task }) => task?.taskId === pool.taskId && task.revision === pool.revision),
          ),
        ),
      });
    },
  };

  /** A deleted task's instances are still listed by its id. */
  async function taskIdOf(scope: Scope, idOrName: string): Promise<string> {
    reference('task', idOrName);
    return idOrName.startsWith('task_') ? idOrName : (await tasks.get(scope, idOrName)).taskId;
  }

  async function tasksSeen(scope: Scope, taskIds: readonly string[]): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    for (const taskId of new Set(taskIds)) if (await tasks.isSeen(scope, taskId)) seen.add(taskId);
    return seen;
  }
}
