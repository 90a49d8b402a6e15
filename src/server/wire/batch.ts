import { create } from '@bufbuild/protobuf';
import {
  type BatchEnding,
  type BatchMember,
  type BatchState,
  hasEnded,
  type OnMemberFailure,
} from '../../domain/batch/batch.ts';
import type { Supervision } from '../../domain/batch/supervision.ts';
import { invalidArgument } from '../../domain/errors.ts';
import { tenantOf } from '../../domain/scope.ts';
import {
  type BatchMemberState,
  BatchMemberStateSchema,
  BatchSchema,
  MemberFailurePolicy,
  type Batch as Wire,
} from '../gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionStatus } from '../gen/spearlet/function_pb.js';
import { int64, time } from './bounded.ts';
import { errorCodeToWire, statusToWire } from './enums.ts';
import { restartToWire, supervisionToWire } from './supervision.ts';

export function onMemberFailureFromWire(policy: MemberFailurePolicy): OnMemberFailure {
  switch (policy) {
    case MemberFailurePolicy.UNSPECIFIED:
    case MemberFailurePolicy.CONTINUE:
      return 'continue';
    case MemberFailurePolicy.CANCEL_OTHERS:
      return 'cancelOthers';
    default:
      throw invalidArgument(
        'on_member_failure',
        `${String(policy)} is not known; allowed are CONTINUE (1) and CANCEL_OTHERS (2)`,
      );
  }
}

export function batchToWire(state: BatchState): Wire {
  const { batch, counts } = state;
  const { ended, running, completed, failed, cancelled, timedOut, completedAt } = counts;
  return create(BatchSchema, {
    batchId: batch.batchId,
    tenant: tenantOf(batch),
    invocationId: batch.invocationId,
    createdAt: time(batch.createdAt),
    onMemberFailure:
      batch.onMemberFailure === 'continue' ? MemberFailurePolicy.CONTINUE : MemberFailurePolicy.CANCEL_OTHERS,
    members: batch.members,
    layers: batch.layers,
    pending: Math.max(0, batch.members - ended - running),
    running: hasEnded(state) ? 0 : running,
    ...{ completed, failed, cancelled, timedOut },
    cancelling: batch.cancelling !== undefined,
    isCompleted: hasEnded(state),
    lastSequence: int64(ended),
    taskNames: [...batch.taskNames],
    ...(completedAt !== undefined && { completedAt: time(completedAt) }),
    ...(batch.supervision !== undefined && { supervision: supervisionToWire(batch.supervision) }),
  });
}

export function memberToWire(member: BatchMember | BatchEnding, supervision?: Supervision): BatchMemberState {
  const { status, errorCode, endedAt, sequence = 0 } = member;
  const supervised = supervision?.members[member.member];
  return create(BatchMemberStateSchema, {
    restart: restartToWire(supervised?.restart),
    restarts: supervised?.restarts ?? 0,
    member: member.member,
    name: member.name,
    executionId: member.executionId,
    layer: member.layer,
    follows: [...member.follows],
    taskName: member.taskName,
    status: status === undefined ? ExecutionStatus.UNSPECIFIED : statusToWire[status],
    errorCode: errorCode === undefined ? ErrorCode.UNSPECIFIED : errorCodeToWire[errorCode],
    sequence: int64(sequence),
    ...(endedAt !== undefined && { endedAt: time(endedAt) }),
  });
}
