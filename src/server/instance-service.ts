import { create } from '@bufbuild/protobuf';
import type { Instances } from '../domain/instance.ts';
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
    async listInstances(request) {
      const taskId = request.task === '' ? undefined : await taskIdOf(request.task);
      const ofTask = (id: string | undefined) => taskId === undefined || id === taskId;
      const all = instances.instances();
      const pools = instances.pools().filter((pool) => ofTask(pool.taskId));
      return create(ListInstancesResponseSchema, {
        instances: all.filter((instance) => ofTask(instance.task?.taskId)).map(instanceToWire),
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
  async function taskIdOf(idOrName: string): Promise<string> {
    reference('task', idOrName);
    return idOrName.startsWith('task_') ? idOrName : (await tasks.get(idOrName)).taskId;
  }
}
