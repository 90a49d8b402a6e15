/** The record of a snapshot as the page's own model has it. */
import { originOf } from '../../../../domain/errors.ts';
import type { ExecutionRecord } from '../../../../domain/execution.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import { isStatus } from '../../model/status.ts';
import { UnreadableFile } from './unreadable-file.ts';

const nothing = new Uint8Array(0);

export function recordRow(record: ExecutionRecord): ExecutionRow {
  if (typeof record?.executionId !== 'string' || !isStatus(record.status)) {
    throw new UnreadableFile('its record is not one of an execution');
  }
  const { outcome } = record;
  const failure = outcome === undefined || outcome.status === 'completed' ? undefined : outcome;
  return {
    id: record.executionId,
    status: record.status,
    state: record.state,
    mode: record.mode,
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
    queueTimeMs: record.queueTimeMs,
    executionTimeMs: record.executionTimeMs,
    seenAt: record.completedAt ?? record.createdAt,
    errorCode: failure?.code ?? '',
    errorOrigin: failure === undefined ? undefined : originOf(failure.code),
    errorMessage: failure?.message ?? '',
    exitCode: outcome?.exitCode,
    termination: failure?.termination,
    requestId: record.requestId,
    metadata: record.metadata,
    allowedEvents: [],
    resourceUse: {
      cpuTimeUs: record.resourceUse.cpuTimeUs ?? 0,
      peakMemoryBytes: record.resourceUse.peakMemoryBytes ?? 0,
      droppedBytes: record.droppedBytes,
    },
    loosened: record.loosened ?? [],
    oldestSequence: record.oldestSequence ?? 1,
    originExecutionId: record.originId ?? '',
    output: outcome?.output === undefined ? nothing : new TextEncoder().encode(outcome.output),
    errorOutput: nothing,
    contentType: outcome?.output === undefined ? '' : 'application/json',
    outputBytes: record.outputBytes,
    outputTruncated: false,
  };
}
