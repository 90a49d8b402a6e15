/** A batch as it should be: one member, and one that follows it and is given its output. */
import { create } from '@bufbuild/protobuf';
import {
  BatchMemberStateSchema,
  BatchSchema,
  MemberFailurePolicy,
} from '../../src/server/gen/spearlet/batch_pb.js';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { type ForgedFinal, forgedFinal } from './forged-execution.ts';
import type { BatchPlan, FinalBatch, Plan, Terms, Told } from './history.ts';

export const together = 'batch_together';
export const leader = 'exec_leader';
export const follower = 'exec_follower';

export function forgedBatch(terms: Terms) {
  const plan: BatchPlan = { number: 1, invocationId: '', members: [3, 4], cancelOthers: false };
  const more = { output: Buffer.from('hello'), batchId: together };
  const one = forgedFinal(
    leader,
    3,
    [
      [0, '', 'pending.queued', 'admit'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hello'],
    ],
    { ...more },
  );
  const two = forgedFinal(
    follower,
    4,
    [
      [0, '', 'pending.blocked', 'admit'],
      [0, 'pending.blocked', 'pending.queued', 'unblocked'],
      [1, 'pending.queued', 'running.attempting', 'dispatch'],
      [1, 'hello'],
    ],
    { ...more },
  );
  const finals: [string, ForgedFinal][] = [
    [leader, one],
    [follower, two],
  ];
  const members = finals.map(([executionId, { result }], member) =>
    create(BatchMemberStateSchema, {
      member,
      name: `m${member}`,
      executionId,
      layer: member,
      follows: member === 0 ? [] : [0],
      status: ExecutionStatus.COMPLETED,
      ...(result.completedAt !== undefined && { endedAt: result.completedAt }),
      sequence: BigInt(member + 1),
    }),
  );
  const batch = create(BatchSchema, {
    batchId: together,
    onMemberFailure: MemberFailurePolicy.CONTINUE,
    members: 2,
    layers: 2,
    completed: 2,
    isCompleted: true,
    lastSequence: 2n,
  });
  const final: FinalBatch = { batch, members, endings: structuredClone(members) };
  const plans: [number, Plan][] = [
    [3, { number: 3, invocationId: '', terms }],
    [
      4,
      {
        number: 4,
        invocationId: '',
        terms: {
          ...terms,
          stdout: Buffer.alloc(0),
          follows: [{ plan: 3, ended: false, anyway: false, output: 'input' }],
        },
      },
    ],
  ];
  const told: Told[] = [
    { kind: 'batchSeen', batch: 1, members: 0 },
    {
      kind: 'batchAdmitted',
      batch: 1,
      batchId: together,
      executionIds: [leader, follower],
      joined: false,
    },
    { kind: 'batchSeen', batch: 1, members: 2 },
    ...members.map(
      (member): Told => ({ kind: 'batchEnding', batchId: together, member: structuredClone(member) }),
    ),
    { kind: 'batchView', batchId: together, batch: structuredClone(batch) },
  ];
  return { plan, plans, finals, batch, final, told };
}
