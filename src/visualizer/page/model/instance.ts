/** Instances and their pools: the models of `Instance` and `InstancePool`. */
import type { InstanceJson, InstancePoolJson } from '../wire.ts';
import { enumWord, instantOf, numberOf } from './scalar.ts';
import { type RuntimeWord, runtimeOf } from './task.ts';

export interface Instance {
  readonly id: string;
  readonly runtime: RuntimeWord;
  /** A state of the instance chart. */
  readonly state: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  /** What it serves now, or served last. */
  readonly executionId: string;
  readonly attempt: number;
  readonly uses: number;
  readonly startedAhead: boolean;
  readonly reason: string;
  readonly createdAt: number | undefined;
  readonly stateSince: number | undefined;
}

export interface InstancePool {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly runtime: RuntimeWord;
  readonly starting: number;
  readonly idle: number;
  readonly busy: number;
  readonly stopping: number;
  readonly broken: number;
  readonly warmHits: number;
  readonly coldStarts: number;
  readonly spoiled: number;
}

export function instanceOf(json: InstanceJson): Instance {
  return {
    id: json.instanceId,
    runtime: runtimeOf(json.runtime),
    state: enumWord(json.state, 'INSTANCE_STATE_').toLowerCase(),
    taskId: json.taskId,
    taskName: json.taskName,
    taskRevision: json.taskRevision,
    executionId: json.executionId,
    attempt: json.attempt,
    uses: numberOf(json.uses),
    startedAhead: json.startedAhead,
    reason: json.reason,
    createdAt: instantOf(json.createdAt),
    stateSince: instantOf(json.stateSince),
  };
}

export function poolOf(json: InstancePoolJson): InstancePool {
  return {
    taskId: json.taskId,
    taskName: json.taskName,
    taskRevision: json.taskRevision,
    runtime: runtimeOf(json.runtime),
    starting: json.starting,
    idle: json.idle,
    busy: json.busy,
    stopping: json.stopping,
    broken: json.broken,
    warmHits: numberOf(json.warmHits),
    coldStarts: numberOf(json.coldStarts),
    spoiled: numberOf(json.spoiled),
  };
}
