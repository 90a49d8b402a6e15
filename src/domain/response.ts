/**
 * What a caller is told about an execution, in the same shape for every runtime and mode. Two constructors make
 * it: one for a caller that waited, one for a caller that did not.
 */
import { type ExecutionMode, type ExecutionRecord, type ExecutionStatus, isTerminal } from './execution.ts';

/** The output of the last attempt, as far as it fits inline. */
export interface InlineOutput {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly truncated: boolean;
}

export const noOutput: InlineOutput = {
  stdout: new Uint8Array(),
  stderr: new Uint8Array(),
  truncated: false,
};

export interface ExecutionResponse {
  /** The status is none of failed, timed out and cancelled. */
  readonly success: boolean;
  /** One sentence for people. */
  readonly message: string;
  readonly record: ExecutionRecord;
  readonly mode: ExecutionMode;
  readonly status: ExecutionStatus;
  readonly isAsync: boolean;
  readonly isCompleted: boolean;
  readonly output: InlineOutput;
  /** Path of the status over HTTP; empty exactly when the execution has ended. */
  readonly statusEndpoint: string;
  /** Milliseconds from now; 0 when the execution has ended. */
  readonly estimatedCompletionMs: number;
  /** Wall clock when this view was taken, milliseconds since the epoch. */
  readonly timestamp: number;
}

/** For a caller that waited: the result, or where the execution is when the wait budget is over. */
export function syncResponse(
  record: ExecutionRecord,
  output: InlineOutput,
  estimateMs: number,
  timestamp: number,
): ExecutionResponse {
  const isCompleted = isTerminal(record.status);
  return {
    success: succeeds(record.status),
    message: describe(record),
    record,
    mode: record.mode,
    status: record.status,
    isAsync: record.mode === 'async',
    isCompleted,
    output,
    statusEndpoint: isCompleted ? '' : statusEndpoint(record.executionId),
    estimatedCompletionMs: isCompleted ? 0 : estimateMs,
    timestamp,
  };
}

/**
 * For a caller that does not wait: the execution as it was accepted, whatever has become of it since, and where to
 * ask for it.
 */
export function asyncResponse(
  record: ExecutionRecord,
  estimateMs: number,
  timestamp: number,
): ExecutionResponse {
  return syncResponse(asAccepted(record), noOutput, estimateMs, timestamp);
}

/** The record as its first event left it. */
function asAccepted(record: ExecutionRecord): ExecutionRecord {
  const { startedAt: _startedAt, completedAt: _completedAt, outcome: _outcome, ...rest } = record;
  return {
    ...rest,
    status: 'pending',
    state: firstState(record),
    ...(record.blocked !== undefined && { blocked: true }),
    attempt: 0,
    instanceId: '',
    queueTimeMs: 0,
    executionTimeMs: 0,
    lastSequence: 1,
    attemptSequence: 0,
    outputBytes: 0,
    outputEvents: 0,
    droppedBytes: 0,
    resourceUse: {},
  };
}

function firstState({ blocked, deadlines }: ExecutionRecord): string {
  if (blocked !== undefined) return 'pending.blocked';
  return deadlines.startAt === undefined ? 'pending.queued' : 'pending.waiting';
}

const pendingWords: Readonly<Record<string, string>> = {
  'pending.blocked': 'waits for what it depends on',
  'pending.waiting': 'waits for its start time',
};

export function statusEndpoint(executionId: string): string {
  return `/status/${executionId}`;
}

function succeeds(status: ExecutionStatus): boolean {
  return status !== 'failed' && status !== 'timedOut' && status !== 'cancelled';
}

function describe(record: ExecutionRecord): string {
  const { outcome } = record;
  if (outcome !== undefined && outcome.status !== 'completed') return `${outcome.code}: ${outcome.message}`;
  switch (record.status) {
    case 'completed':
      return 'completed';
    case 'pending':
      return `accepted; ${pendingWords[record.state] ?? 'waits for a slot'}`;
    default:
      return `attempt ${record.attempt} is ${record.state === 'running.stopping' ? 'being stopped' : 'under way'}`;
  }
}
