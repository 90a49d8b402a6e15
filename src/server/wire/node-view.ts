import { create, fromJson } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs, ValueSchema } from '@bufbuild/protobuf/wkt';
import { executionStatuses, type Invocation } from '../../domain/execution.ts';
import type { Explanation, QueueGate } from '../../domain/explanation.ts';
import type { NodeNews, NodeStatus, ResourcesView } from '../../domain/node-feed.ts';
import {
  type ExplainExecutionResponse,
  ExplainExecutionResponseSchema,
  type GetInvocationResponse,
  GetInvocationResponseSchema,
  type NodeView,
  NodeViewSchema,
  type WatchNodeResponse,
  WatchNodeResponseSchema,
} from '../gen/spearlet/node_pb.js';
import { statusToWire } from './enums.ts';
import { recordToWire } from './execution.ts';
import { namesOf } from './variables.ts';

export function nodeToWire(node: NodeStatus): NodeView {
  return create(NodeViewSchema, {
    nodeId: node.nodeId,
    version: node.version,
    state: node.state,
    startedAt: timestampFromMs(node.startedAt),
    slots: node.slots,
    running: node.running,
    pending: node.pending,
    queueLimit: node.queueLimit,
    counts: executionStatuses.map((status) => ({
      status: statusToWire[status],
      count: BigInt(node.counts[status]),
    })),
    supervisors: node.supervisors.map(({ name, state, children, queueLength, restarts }) => ({
      name,
      state,
      children: BigInt(children),
      queueLength: BigInt(queueLength),
      restarts: BigInt(restarts),
    })),
    position: BigInt(node.position),
    storeFault: node.storeFault,
    grpcAddress: node.grpcAddress,
    hostAccess: node.hostAccess,
    traceUrl: node.traceUrl,
    time: timestampFromMs(node.time),
    ...(node.resources !== undefined && { resources: resourcesToWire(node.resources) }),
  });
}

function resourcesToWire({ reserved, total }: ResourcesView) {
  const { memoryBytes, processors } = total;
  return {
    memoryReserved: BigInt(reserved.memoryBytes),
    processorsReserved: reserved.processors,
    ...(Number.isFinite(memoryBytes) && { memoryTotal: BigInt(memoryBytes) }),
    ...(Number.isFinite(processors) && { processorsTotal: processors }),
  };
}

/** `now` is when this view is taken, in milliseconds since the epoch. */
export function newsToWire(news: NodeNews, now: number): WatchNodeResponse {
  const { position, executions, deleted, node, reset } = news;
  return create(WatchNodeResponseSchema, {
    position: BigInt(position),
    executions: executions.map((record) => recordToWire(record, now)),
    ...(node !== undefined && { node: nodeToWire(node) }),
    reset,
    deletedExecutionIds: [...deleted],
  });
}

export function explanationToWire(explanation: Explanation): ExplainExecutionResponse {
  const { executionId, status, state, summary, goesOnAt, endsAt, gate } = explanation;
  return create(ExplainExecutionResponseSchema, {
    executionId,
    status: statusToWire[status],
    state,
    summary,
    details: [...explanation.details],
    queuePlace: BigInt(explanation.queuePlace),
    queueLength: BigInt(explanation.queueLength),
    heldBy: [...explanation.heldBy],
    ...(goesOnAt !== undefined && { goesOnAt: timestampFromMs(goesOnAt) }),
    ...(endsAt !== undefined && { endsAt: timestampFromMs(endsAt) }),
    ...(gate !== undefined && { gate: gateToWire(gate) }),
  });
}

export function gateToWire({ limit, perMs, burst, since, opensAt, ...named }: QueueGate) {
  return {
    ...named,
    limit: BigInt(limit),
    burst: BigInt(burst ?? 0),
    since: timestampFromMs(since),
    ...(perMs !== undefined && { per: durationFromMs(perMs) }),
    ...(opensAt !== undefined && { opensAt: timestampFromMs(opensAt) }),
  };
}

/** Of the environment the names alone, where the values are not wanted. */
export function invocationToWire(
  invocation: Invocation,
  { maxInputBytes, withValues }: { readonly maxInputBytes: number; readonly withValues: boolean },
): GetInvocationResponse {
  const { functionName, parameters, input, contentType, args, environment, forceNewInstance } = invocation;
  return create(GetInvocationResponseSchema, {
    functionName,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, fromJson(ValueSchema, value)]),
    ),
    input: input.subarray(0, maxInputBytes),
    inputBytes: BigInt(input.byteLength),
    contentType,
    args: [...args],
    environment: withValues ? environment : namesOf(environment),
    forceNewInstance,
  });
}
