/** Supervised batches: the models of `Batch` and `BatchMemberState`. */
import type { BatchJson, BatchMemberStateJson } from '../wire.ts';
import { enumWord, numberOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export interface SupervisedMember {
  /** As people know it: its name, or its place in the batch. */
  readonly name: string;
  /** The run that it has now, or had last. */
  readonly executionId: string;
  readonly taskName: string;
  readonly status: Status | undefined;
  /** Such as `permanent`. */
  readonly restart: string;
  readonly restarts: number;
}

export interface SupervisedBatch {
  readonly id: string;
  /** Such as `running`. */
  readonly phase: string;
  /** Such as `one for all`. */
  readonly strategy: string;
  readonly recentRestarts: number;
  readonly intensity: number;
  /** As the wire has it, such as `60s`. */
  readonly within: string;
  readonly restarts: number;
  /** Why it ends, or has ended; empty where it does not. */
  readonly endMessage: string;
  /** In the order of the batch. */
  readonly members: readonly SupervisedMember[];
}

export function supervisedBatchOf(
  { batchId, supervision }: BatchJson,
  members: readonly BatchMemberStateJson[],
): SupervisedBatch {
  return {
    id: batchId,
    phase: wordOf(supervision?.phase, 'SUPERVISION_PHASE_'),
    strategy: wordOf(supervision?.strategy, 'SUPERVISION_STRATEGY_'),
    recentRestarts: supervision?.recentRestarts ?? 0,
    intensity: supervision?.intensity ?? 0,
    within: supervision?.within ?? '',
    restarts: numberOf(supervision?.restarts),
    endMessage: supervision?.endMessage ?? '',
    members: members.map((each) => ({
      name: each.name === '' ? `#${each.member}` : each.name,
      executionId: each.executionId,
      taskName: each.taskName,
      status: statusOf(each.status),
      restart: wordOf(each.restart, 'RESTART_POLICY_'),
      restarts: each.restarts,
    })),
  };
}

function wordOf(name: string | undefined, prefix: string): string {
  return enumWord(name ?? '', prefix)
    .toLowerCase()
    .replaceAll('_', ' ');
}
