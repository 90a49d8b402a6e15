/**
 * The proto JSON that the page reads and writes, made of the types that are generated from `proto/`: of them types only,
 * for their code would carry the whole proto runtime into the browser. lowerCamelCase names, 64-bit numbers as decimal
 * strings, enums by name, bytes as base64, timestamps as RFC 3339, durations as `1.5s`. Fields without a `?` are always
 * there; messages and `optional` fields may be absent.
 */
import type * as batches from '../../server/gen/spearlet/batch_pb.js';
import type * as cluster from '../../server/gen/spearlet/cluster_pb.js';
import type * as functions from '../../server/gen/spearlet/function_pb.js';
import type * as instances from '../../server/gen/spearlet/instance_pb.js';
import type * as node from '../../server/gen/spearlet/node_pb.js';
import type * as reruns from '../../server/gen/spearlet/rerun_pb.js';
import type * as revisions from '../../server/gen/spearlet/revision_pb.js';
import type * as schedules from '../../server/gen/spearlet/schedule_pb.js';
import type * as tasks from '../../server/gen/spearlet/task_pb.js';
import type * as webhooks from '../../server/gen/spearlet/webhook_pb.js';

/** Any JSON value, as `google.protobuf.Value` and `Struct` are written. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/**
 * A value as the node writes it. The generated JSON types let every field be absent, because a reader of proto JSON has
 * to; the node leaves out only what the message type `M` may lack itself.
 */
type Written<M, J> = null extends J
  ? Json
  : J extends string | number | boolean
    ? J
    : M extends readonly (infer Item)[]
      ? readonly Written<Item, J extends readonly (infer ItemJson)[] ? ItemJson : never>[]
      : M extends { readonly $typeName: string }
        ? WrittenMessage<M, J>
        : { readonly [Name in keyof J]: Written<Name extends keyof M ? M[Name] : never, J[Name]> };

type WrittenMessage<M, J> = {
  readonly [Name in keyof J & Always<M>]-?: Written<M[Name], NonNullable<J[Name]>>;
} & {
  readonly [Name in Exclude<keyof J, Always<M>>]?: Written<
    Name extends keyof M ? NonNullable<M[Name]> : CaseOf<M, Name>,
    NonNullable<J[Name]>
  >;
};

/** The fields that a message cannot lack. */
type Always<M> = { [Name in keyof M]-?: undefined extends M[Name] ? never : Name }[keyof M];

/** The message of one case of a oneof: in JSON each case is a field of its own. */
type CaseOf<M, Name> = Extract<M[keyof M], { readonly case: Name; readonly value: unknown }>['value'];

export type StatusName = functions.ExecutionStatusJson;

export type ExecutionResultJson = Written<functions.ExecutionResult, functions.ExecutionResultJson>;
export type StreamExecutionResultJson = Written<
  functions.StreamExecutionResult,
  functions.StreamExecutionResultJson
>;
export type GetExecutionStatusResponseJson = Written<
  functions.GetExecutionStatusResponse,
  functions.GetExecutionStatusResponseJson
>;
export type ListExecutionsResponseJson = Written<
  functions.ListExecutionsResponse,
  functions.ListExecutionsResponseJson
>;

export type NodeViewJson = Written<node.NodeView, node.NodeViewJson>;
export type WatchNodeResponseJson = Written<node.WatchNodeResponse, node.WatchNodeResponseJson>;
export type MachineJson = Written<node.Machine, node.MachineJson>;
export type ExplainExecutionResponseJson = Written<
  node.ExplainExecutionResponse,
  node.ExplainExecutionResponseJson
>;
export type GetQueueResponseJson = Written<node.GetQueueResponse, node.GetQueueResponseJson>;
export type GetActivityResponseJson = Written<node.GetActivityResponse, node.GetActivityResponseJson>;
export type GetInvocationResponseJson = Written<node.GetInvocationResponse, node.GetInvocationResponseJson>;
export type BreakpointJson = Written<node.Breakpoint, node.BreakpointJson>;

export type ListDeliveriesResponseJson = Written<
  webhooks.ListDeliveriesResponse,
  webhooks.ListDeliveriesResponseJson
>;

export type BatchJson = Written<batches.Batch, batches.BatchJson>;
export type ListBatchesResponseJson = Written<batches.ListBatchesResponse, batches.ListBatchesResponseJson>;
export type ListBatchMembersResponseJson = Written<
  batches.ListBatchMembersResponse,
  batches.ListBatchMembersResponseJson
>;
export type GroupBatchMembersResponseJson = Written<
  batches.GroupBatchMembersResponse,
  batches.GroupBatchMembersResponseJson
>;
export type RerunExecutionsResponseJson = Written<
  reruns.RerunExecutionsResponse,
  reruns.RerunExecutionsResponseJson
>;

export type ListRevisionsResponseJson = Written<
  revisions.ListRevisionsResponse,
  revisions.ListRevisionsResponseJson
>;
export type CompareRevisionsResponseJson = Written<
  revisions.CompareRevisionsResponse,
  revisions.CompareRevisionsResponseJson
>;

export type TaskJson = Written<tasks.Task, tasks.TaskJson>;
export type FunctionSignatureJson = Written<tasks.FunctionSignature, tasks.FunctionSignatureJson>;

export type BatchMemberStateJson = Written<batches.BatchMemberState, batches.BatchMemberStateJson>;
export type ScheduleJson = Written<schedules.Schedule, schedules.ScheduleJson>;
export type FiringJson = Written<schedules.Firing, schedules.FiringJson>;
export type ListSchedulesResponseJson = Written<
  schedules.ListSchedulesResponse,
  schedules.ListSchedulesResponseJson
>;

export type ClusterNodeJson = Written<cluster.ClusterNode, cluster.ClusterNodeJson>;
export type ListNodesResponseJson = Written<cluster.ListNodesResponse, cluster.ListNodesResponseJson>;

export type InstanceJson = Written<instances.Instance, instances.InstanceJson>;
export type InstancePoolJson = Written<instances.InstancePool, instances.InstancePoolJson>;

/** What `/api/events` sends as `log`. */
export interface LogMessageJson {
  readonly events: readonly StreamExecutionResultJson[];
}

/** What `/api` answers with where it refuses, and what `/api/events` sends as `fault`. */
export interface FaultJson {
  readonly error: { readonly reason: string; readonly message: string };
}
