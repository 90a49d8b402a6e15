import { create } from '@bufbuild/protobuf';
import { originOf } from '../../domain/errors.ts';
import type { LogEvent } from '../../domain/event.ts';
import { callerEvents, type ExecutionRecord, type Outcome } from '../../domain/execution.ts';
import type { RelatedExecution, RelatedExecutions } from '../../domain/executions.ts';
import { type ExecutionResponse, noOutput, syncResponse } from '../../domain/response.ts';
import { tenantOf } from '../../domain/scope.ts';
import { exitCodeOf } from '../../domain/storable.ts';
import { webhooksOf } from '../../domain/webhook.ts';
import {
  ErrorCode,
  ErrorOrigin,
  type ExecutionResult,
  ExecutionStatus,
  type GetExecutionStatusResponse,
  GetExecutionStatusResponseSchema,
  type InvokeFunctionResponse,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
  type WaitExecutionResponse,
  WaitExecutionResponseSchema,
} from '../gen/spearlet/function_pb.js';
import { int32, int64, time } from './bounded.ts';
import { dependencyToWire } from './dependency.ts';
import {
  cacheUseToWire,
  errorCodeToWire,
  modeToWire,
  originToWire,
  statusToWire,
  streamToWire,
} from './enums.ts';
import { priorityToWire } from './turn.ts';

type Failure = Exclude<Outcome, { status: 'completed' }>;

function failureOf(record: ExecutionRecord): Failure | undefined {
  const { outcome } = record;
  return outcome === undefined || outcome.status === 'completed' ? undefined : outcome;
}

export function resultToWire(response: ExecutionResponse): ExecutionResult {
  const { record, output, timestamp } = response;
  const failure = failureOf(record);
  const { outcome, resourceUse } = record;
  const termination = failure?.termination;
  const pending = record.status === 'pending';
  const live = !response.isCompleted;
  const result: ExecutionResult = {
    $typeName: 'spearlet.ExecutionResult',
    status: statusToWire[record.status],
    state: record.state,
    mode: modeToWire[record.mode],
    isAsync: response.isAsync,
    isCompleted: response.isCompleted,
    output: output.stdout,
    contentType: outcome?.output === undefined ? '' : 'application/json',
    errorOutput: output.stderr,
    outputBytes: int64(record.outputBytes),
    outputTruncated: output.truncated,
    errorCode: failure === undefined ? ErrorCode.UNSPECIFIED : errorCodeToWire[failure.code],
    errorOrigin: failure === undefined ? ErrorOrigin.UNSPECIFIED : originToWire[originOf(failure.code)],
    errorMessage: failure?.message ?? '',
    attempt: int32(record.attempt),
    createdAt: time(record.createdAt),
    queueTimeMs: int64(pending ? Math.max(0, timestamp - record.createdAt) : record.queueTimeMs),
    executionTimeMs:
      live && record.startedAt !== undefined
        ? Math.max(0, timestamp - record.startedAt)
        : toMicroseconds(record.executionTimeMs),
    requestId: record.requestId,
    metadata: record.metadata,
    timestamp: time(timestamp),
    allowedEvents: [...callerEvents(record)],
    resourceUse: {
      $typeName: 'spearlet.ResourceUse',
      cpuTimeUs: int64(resourceUse.cpuTimeUs ?? 0),
      peakMemoryBytes: int64(resourceUse.peakMemoryBytes ?? 0),
      droppedBytes: int64(record.droppedBytes),
    },
    executionId: record.executionId,
    tenant: tenantOf(record),
    taskId: record.taskId,
    taskName: record.taskName,
    taskRevision: int32(record.taskRevision),
    functionName: record.functionName,
    instanceId: record.instanceId,
    loosened: [...(record.loosened ?? [])],
    recoveries: int32(record.recoveries ?? 0),
    oldestSequence: int64(record.oldestSequence ?? 1),
    originExecutionId: record.originId ?? '',
    priority: priorityToWire(record.priority),
    fairnessKey: record.fairnessKey ?? '',
    traceId: record.trace?.traceId ?? '',
    schedule: record.schedule ?? '',
    cachedFromExecutionId: record.cache?.from ?? '',
    cacheUse: cacheUseToWire(record.cache),
    webhooks: record.onEnd === undefined ? 0 : webhooksOf(record).length,
    alias: record.alias ?? '',
    batchId: record.batch?.batchId ?? '',
    rerunOfExecutionId: record.rerun?.of ?? '',
    rerunId: record.rerun?.id ?? '',
    labels: record.labels ?? {},
    dependsOn: record.dependsOn?.map(dependencyToWire) ?? [],
  };
  if (record.startedAt !== undefined) result.startedAt = time(record.startedAt);
  if (record.completedAt !== undefined) result.completedAt = time(record.completedAt);
  if (outcome?.exitCode !== undefined) result.exitCode = exitCodeOf(outcome.exitCode);
  if (record.cache?.fromAt !== undefined) result.cachedAt = time(record.cache.fromAt);
  if (termination !== undefined) {
    result.termination = {
      $typeName: 'spearlet.Termination',
      rung: termination.rung,
      tookMs: int64(termination.tookMs),
    };
  }
  return result;
}

export function invokeResponseToWire(response: ExecutionResponse, joined: boolean): InvokeFunctionResponse {
  const { record } = response;
  return {
    $typeName: 'spearlet.InvokeFunctionResponse',
    success: response.success,
    message: response.message,
    executionId: record.executionId,
    taskId: record.taskId,
    instanceId: record.instanceId,
    result: resultToWire(response),
    statusEndpoint: response.statusEndpoint,
    estimatedCompletionMs: int64(response.estimatedCompletionMs),
    lastSequence: int64(record.lastSequence),
    joined,
  };
}

function viewToWire(response: ExecutionResponse) {
  return {
    result: resultToWire(response),
    statusEndpoint: response.statusEndpoint,
    estimatedCompletionMs: int64(response.estimatedCompletionMs),
    lastSequence: int64(response.record.lastSequence),
  };
}

export function statusResponseToWire(
  response: ExecutionResponse,
  { dependencies, dependants }: RelatedExecutions,
  node: string,
): GetExecutionStatusResponse {
  return create(GetExecutionStatusResponseSchema, {
    ...viewToWire(response),
    dependencies: dependencies.map(relatedToWire),
    dependants: dependants.map(relatedToWire),
    node,
  });
}

function relatedToWire({ executionId, record, dependency }: RelatedExecution) {
  return {
    executionId,
    taskName: record?.taskName ?? '',
    state: record?.state ?? '',
    status: record === undefined ? ExecutionStatus.UNSPECIFIED : statusToWire[record.status],
    ...(dependency !== undefined && { dependency: dependencyToWire(dependency) }),
  };
}

export function waitResponseToWire(response: ExecutionResponse): WaitExecutionResponse {
  return create(WaitExecutionResponseSchema, viewToWire(response));
}

/** A record alone, as lists show it. */
export function recordToWire(record: ExecutionRecord, now: number): ExecutionResult {
  return resultToWire(syncResponse(record, noOutput, 0, now));
}

/** One event; `final` is the response that a result event carries. */
export function eventToWire(
  executionId: string,
  event: LogEvent,
  final: ExecutionResponse | undefined,
): StreamExecutionResult {
  return create(StreamExecutionResultSchema, {
    executionId,
    sequence: int64(event.sequence),
    position: int64(event.position),
    time: time(event.time),
    status: statusToWire[event.status],
    attempt: int32(event.attempt),
    isFinal: event.kind === 'result',
    event: bodyToWire(event, final),
    principal: event.by ?? '',
  });
}

function bodyToWire(event: LogEvent, final: ExecutionResponse | undefined) {
  switch (event.kind) {
    case 'transition':
      return {
        case: 'transition' as const,
        value: {
          from: event.from,
          to: event.to,
          eventType: event.eventType,
          reasonCode: event.reasonCode,
          contextPatch: event.contextPatch,
          chartVersion: event.chartVersion,
        },
      };
    case 'chunk':
      return { case: 'chunk' as const, value: { stream: streamToWire[event.stream], data: event.data } };
    case 'refusal': {
      const { host, port, address, rule, more } = event;
      return { case: 'refusal' as const, value: { host, port, address, rule, more: BigInt(more) } };
    }
    case 'result':
      if (final === undefined) throw new Error('a result event goes with the final record');
      return { case: 'result' as const, value: resultToWire(final) };
  }
}

/** Milliseconds with three decimals at most: what is beyond is the noise of a subtraction. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
