import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { InstanceState, InstanceView, PoolView } from '../../domain/instance.ts';
import {
  type InstancePool,
  InstancePoolSchema,
  InstanceSchema,
  type Instance as WireInstance,
} from '../gen/spearlet/instance_pb.js';
import { warmMessage } from './definition-message.ts';
import { instanceStateToWire, runtimeToWire } from './enums.ts';

export function instanceToWire(instance: InstanceView): WireInstance {
  const { task } = instance;
  return create(InstanceSchema, {
    instanceId: instance.instanceId,
    runtime: runtimeToWire[instance.runtime],
    state: instanceStateToWire[instance.state],
    taskId: task?.taskId ?? '',
    taskName: task?.name ?? '',
    taskRevision: task?.revision ?? 0,
    executionId: instance.executionId,
    attempt: instance.attempt,
    uses: BigInt(instance.uses),
    startedAhead: instance.startedAhead,
    reason: instance.reason,
    createdAt: timestampFromMs(instance.createdAt),
    stateSince: timestampFromMs(instance.stateSince),
  });
}

/** `members` are the instances of the pool's task and revision. */
export function poolToWire(pool: PoolView, members: readonly InstanceView[]): InstancePool {
  const count = (state: InstanceState) => members.filter((instance) => instance.state === state).length;
  return create(InstancePoolSchema, {
    taskId: pool.taskId,
    taskName: pool.taskName,
    taskRevision: pool.revision,
    runtime: runtimeToWire[pool.runtime],
    policy: warmMessage.write(pool.policy),
    starting: count('starting'),
    idle: count('idle'),
    busy: count('busy'),
    stopping: count('stopping'),
    broken: count('broken'),
    warmHits: BigInt(pool.warmHits),
    coldStarts: BigInt(pool.coldStarts),
    spoiled: BigInt(pool.spoiled),
  });
}
