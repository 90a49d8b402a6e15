/** Executions that were accepted together: the models of `Batch` and of why members did not complete. */
import type { BatchJson, ListBatchMembersResponseJson } from '../wire.ts';
import { enumWord, instantOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export interface Batch {
  readonly id: string;
  readonly tenant: string;
  readonly invocationId: string;
  readonly createdAt: number;
  readonly completedAt: number | undefined;
  readonly cancelsOthers: boolean;
  readonly members: number;
  readonly layers: number;
  readonly counts: Readonly<Record<Status, number>>;
  readonly cancelling: boolean;
  /** All members have ended. */
  readonly ended: boolean;
  readonly taskNames: readonly string[];
}

export function batchOf(json: BatchJson): Batch {
  const { pending, running, completed, failed, cancelled, timedOut } = json;
  return {
    id: json.batchId,
    tenant: json.tenant,
    invocationId: json.invocationId,
    createdAt: instantOf(json.createdAt) ?? 0,
    completedAt: instantOf(json.completedAt),
    cancelsOthers: json.onMemberFailure === 'MEMBER_FAILURE_POLICY_CANCEL_OTHERS',
    members: json.members,
    layers: json.layers,
    counts: { pending, running, completed, failed, cancelled, timedOut },
    cancelling: json.cancelling,
    ended: json.isCompleted,
    taskNames: json.taskNames,
  };
}

export type MemberJson = ListBatchMembersResponseJson['members'][number];

/** Members that ended otherwise than completed, in the same way. */
export interface FailureGroup {
  readonly status: Status;
  /** Without its prefix; empty where there is none. */
  readonly code: string;
  readonly count: number;
  /** The first of them, in the order of the batch. */
  readonly first: readonly { readonly id: string; readonly name: string; readonly member: number }[];
}

const mostNamed = 3;

/** The most frequent first. */
export function failureGroups(members: readonly MemberJson[]): readonly FailureGroup[] {
  const groups = new Map<string, { group: FailureGroup; first: FailureGroup['first'][number][] }>();
  for (const { status: wire, errorCode, executionId, name, member } of members) {
    const status = statusOf(wire);
    const code = enumWord(errorCode, 'ERROR_CODE_');
    const key = `${status} ${code}`;
    const first = groups.get(key)?.first ?? [];
    const count = (groups.get(key)?.group.count ?? 0) + 1;
    if (first.length < mostNamed) first.push({ id: executionId, name, member });
    groups.set(key, { group: { status, code, count, first }, first });
  }
  return [...groups.values()].map(({ group }) => group).sort((a, b) => b.count - a.count);
}
