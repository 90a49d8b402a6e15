import type { ErrorCode } from '../errors.ts';
import type { ExecutionStatus } from '../execution.ts';
import type { AdmissionRequest } from '../executions.ts';
import { type Scope, seesTask, tenantOf } from '../scope.ts';
import type { GroupQuery, MemberGroups } from './groups.ts';
import type { RestartPolicy, Supervision, SupervisionRules } from './supervision.ts';

/** What becomes of the others when a member does not complete. */
export type OnMemberFailure = 'continue' | 'cancelOthers';

/** Executions that were accepted together. */
export interface Batch {
  readonly batchId: string;
  /** Absent means the default one. */
  readonly tenant?: string;
  /** The client's idempotency key; empty where it gave none. */
  readonly invocationId: string;
  readonly payloadDigest: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  /** How many members there are, and layers of members that wait for one another. */
  readonly members: number;
  readonly layers: number;
  readonly onMemberFailure: OnMemberFailure;
  /** Names of the tasks of its members. */
  readonly taskNames: readonly string[];
  /** The principal that asked. */
  readonly by?: string;
  /** It is being cancelled: by whom, and why. */
  readonly cancelling?: { readonly reason: string; readonly by?: string };
  /** Of one whose members begin again when they end; absent for any other. */
  readonly supervision?: Supervision;
}

/** How many members have ended, and how. */
export interface BatchCounts {
  readonly ended: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly timedOut: number;
  /** Those of which an attempt has begun, and that have not ended. */
  readonly running: number;
  /** Of the last end, once all have ended: wall clock, milliseconds since the epoch. */
  readonly completedAt?: number;
}

export interface BatchState {
  readonly batch: Batch;
  readonly counts: BatchCounts;
}

export interface BatchMember {
  /** From 0, in the order of the request. */
  readonly member: number;
  /** Empty for one without a name. */
  readonly name: string;
  readonly executionId: string;
  /** From 0: the length of the longest way to it. */
  readonly layer: number;
  /** The members that it follows. */
  readonly follows: readonly number[];
  /** Empty for one whose record was deleted. */
  readonly taskName: string;
  /** Undefined for one whose record was deleted before it was said how it ended. */
  readonly status: ExecutionStatus | undefined;
  /** Of one that ended otherwise than completed. */
  readonly errorCode?: ErrorCode;
  readonly endedAt?: number;
  /** Of its end, in the log of the batch. */
  readonly sequence?: number;
}

/** A member that has ended. The log of a batch has these, numbered from 1 without a gap. */
export type BatchEnding = BatchMember & { readonly sequence: number; readonly endedAt: number };

/** A member to be. */
export interface MemberRequest {
  readonly name: string;
  readonly layer: number;
  /** Members of the batch; other executions that it follows are in its request. */
  readonly follows: readonly number[];
  /** Of a member that it follows, the id is that which `executionIds` has for it. */
  readonly request: AdmissionRequest;
  /** Where the batch is supervised; absent means permanent. */
  readonly restart?: RestartPolicy;
}

/** A validated request for a batch. */
export interface BatchRequest {
  /** By member: the ids that they are to have. */
  readonly executionIds: readonly string[];
  readonly members: readonly MemberRequest[];
  /** All members, each behind those that it follows. */
  readonly order: readonly number[];
  readonly layers: number;
  readonly tenant: string;
  readonly invocationId: string;
  readonly payloadDigest: string;
  readonly onMemberFailure: OnMemberFailure;
  /** Absent means that no member begins again. */
  readonly supervision?: SupervisionRules;
  readonly by?: string;
  readonly scope?: Scope;
}

export interface BatchAdmission {
  readonly batch: Batch;
  /** Another request with the same invocation id made it. */
  readonly joined: boolean;
}

/** Which members are wanted, in their order. */
export interface MemberQuery {
  /** Only members behind this one; -1 for all. */
  readonly after: number;
  readonly limit: number;
  /** Empty means all. */
  readonly statuses: readonly ExecutionStatus[];
  /** Absent means from the first, and to the last. */
  readonly firstLayer?: number;
  readonly lastLayer?: number;
  /** Absent means those of all. */
  readonly taskName?: string;
  /** Empty or absent means all. */
  readonly errorCodes?: readonly ErrorCode[];
}

/** Whether a member is one of those that are wanted; its place behind `after` is its reader's matter. */
export function isWanted(
  { status, layer, taskName, errorCode }: BatchMember,
  { statuses, firstLayer = 0, lastLayer = Number.POSITIVE_INFINITY, errorCodes = [], ...query }: MemberQuery,
): boolean {
  if (statuses.length > 0 && !(status && statuses.includes(status))) return false;
  if (layer < firstLayer || layer > lastLayer) return false;
  if (query.taskName !== undefined && query.taskName !== taskName) return false;
  return errorCodes.length === 0 || (errorCode !== undefined && errorCodes.includes(errorCode));
}

export interface BatchPage {
  readonly batches: readonly BatchState[];
  /** The id that the next page is before; absent where there are no more. It may be one that is out of scope. */
  readonly next?: string;
}

/** What a node offers of batches to those who serve callers. What is out of a scope is not there. */
export interface Batches {
  /** Ids for members to be. */
  executionIds(count: number): readonly string[];
  /** Accepts all members or none; resolves when that is durable. Rejects with what `Executions.admit` rejects with. */
  admit(request: BatchRequest): Promise<BatchAdmission>;
  /** Rejects with not_found. */
  get(scope: Scope, batchId: string): Promise<BatchState>;
  /** Newest first, ids before `beforeId`. */
  list(scope: Scope, beforeId: string, limit: number): Promise<BatchPage>;
  /** Those that have a supervisor and have not ended, newest first. */
  supervised(scope: Scope, limit: number): Promise<readonly BatchState[]>;
  members(scope: Scope, batchId: string, query: MemberQuery): Promise<readonly BatchMember[]>;
  /** All of them, counted. */
  groups(scope: Scope, batchId: string, query: GroupQuery): Promise<MemberGroups>;
  /** Endings from a sequence number on, in order. */
  endings(batchId: string, from: number, limit: number): Promise<readonly BatchEnding[]>;
  /**
   * Resolves when an ending with that number or a later one is durable, at the end of the batch, or at the signal.
   * Rejects with unavailable where the node stops.
   */
  beyond(batchId: string, sequence: number, signal: AbortSignal): Promise<void>;
  /** Answers once the request is durable; the members end one after the other. Idempotent. */
  cancel(
    scope: Scope,
    batchId: string,
    reason: string,
    by?: string,
  ): Promise<{ changed: boolean; state: BatchState }>;
}

/** A batch is seen by who sees all of its members' tasks. */
export function seesBatch(scope: Scope, batch: Batch): boolean {
  if (scope.execution !== undefined) return false;
  if (scope.tasks === undefined) return scope.tenant === undefined || scope.tenant === tenantOf(batch);
  return batch.taskNames.every((name) => seesTask(scope, batch, name));
}

export function hasEnded({ batch, counts }: BatchState): boolean {
  return counts.ended >= batch.members;
}
