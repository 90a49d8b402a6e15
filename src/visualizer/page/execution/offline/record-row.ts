/** The record of a snapshot as the page's own model has it. */
import { originOf } from '../../../../domain/errors.ts';
import type { ExecutionRecord } from '../../../../domain/execution.ts';
import { tenantOf } from '../../../../domain/scope.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import { isStatus } from '../../model/status.ts';
import { UnreadableFile } from './unreadable-file.ts';

const nothing = new Uint8Array(0);

/** `takenAt` is when its document was made, in milliseconds since the epoch; 0 where that is not known. */
export function recordRow(record: ExecutionRecord, takenAt: number): ExecutionRow {
  if (typeof record?.executionId !== 'string' || !isStatus(record.status)) {
    throw new UnreadableFile('its record is not one of an execution');
  }
  const { outcome } = record;
  const seenAt = Math.max(takenAt, record.completedAt ?? record.startedAt ?? record.createdAt);
  // Of one that goes on, a record does not have these yet.
  const lasting = (since: number): number => Math.max(0, seenAt - since);
  const pendingYet = record.completedAt === undefined && record.startedAt === undefined;
  const runningYet = record.completedAt === undefined && record.startedAt !== undefined;
  const failure = outcome === undefined || outcome.status === 'completed' ? undefined : outcome;
  return {
    id: record.executionId,
    status: record.status,
    state: record.state,
    mode: record.mode,
    tenant: tenantOf(record),
    taskId: record.taskId,
    taskName: record.taskName,
    taskRevision: record.taskRevision,
    functionName: record.functionName,
    instanceId: record.instanceId,
    attempt: record.attempt,
    recoveries: record.recoveries ?? 0,
    createdAt: record.createdAt,
    startedAt: record.startedAt,
    completedAt: record.completedAt,
    queueTimeMs: pendingYet ? lasting(record.createdAt) : record.queueTimeMs,
    executionTimeMs: runningYet ? lasting(record.startedAt ?? seenAt) : record.executionTimeMs,
    seenAt,
    errorCode: failure?.code ?? '',
    errorOrigin: failure === undefined ? undefined : originOf(failure.code),
    errorMessage: failure?.message ?? '',
    exitCode: outcome?.exitCode,
    termination: failure?.termination,
    requestId: record.requestId,
    traceId: record.trace?.traceId ?? '',
    metadata: record.metadata,
    labels: record.labels ?? {},
    allowedEvents: [],
    resourceUse: {
      cpuTimeUs: record.resourceUse.cpuTimeUs ?? 0,
      peakMemoryBytes: record.resourceUse.peakMemoryBytes ?? 0,
      droppedBytes: record.droppedBytes,
    },
    loosened: record.loosened ?? [],
    oldestSequence: record.oldestSequence ?? 1,
    originExecutionId: record.originId ?? '',
    batchId: record.batch?.batchId ?? '',
    rerunOf: record.rerun?.of ?? '',
    rerunId: record.rerun?.id ?? '',
    schedule: record.schedule ?? '',
    cached:
      record.cache?.from === undefined ? undefined : { from: record.cache.from, fromAt: record.cache.fromAt },
    // Only the node where it is knows who was told.
    webhooks: 0,
    output: outcome?.output === undefined ? nothing : new TextEncoder().encode(outcome.output),
    errorOutput: nothing,
    contentType: outcome?.output === undefined ? '' : 'application/json',
    outputBytes: record.outputBytes,
    outputTruncated: false,
  };
}
