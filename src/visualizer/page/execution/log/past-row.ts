/** What a record said at an event of the past, as far as the log tells: nothing of what came after it. Pure. */
import type { ExecutionRow } from '../../model/execution-row.ts';
import type { LogIndex } from './log-index.ts';
import type { LogState } from './log-state.ts';

export function pastRow(row: ExecutionRow, logState: LogState, index: LogIndex): ExecutionRow {
  const { sequence, time, state, status, attempt, context } = logState;
  const started = index.steps.find((step) => step.attempt > 0);
  const startedAt = started !== undefined && started.sequence <= sequence ? started.time : undefined;
  return {
    ...row,
    status,
    state,
    attempt,
    recoveries: typeof context.recoveries === 'number' ? context.recoveries : 0,
    startedAt,
    completedAt: undefined,
    queueTimeMs: Math.max(0, (startedAt ?? time) - row.createdAt),
    executionTimeMs: startedAt === undefined ? 0 : Math.max(0, time - startedAt),
    seenAt: time,
    // The log does not say which instance an attempt had: only that of the last one is known.
    instanceId: attempt > 0 && attempt === row.attempt ? row.instanceId : '',
    errorCode: '',
    errorOrigin: undefined,
    errorMessage: '',
    exitCode: undefined,
    termination: undefined,
    allowedEvents: [],
    resourceUse: undefined,
    cached: undefined,
    output: nothing,
    errorOutput: nothing,
    contentType: '',
    outputBytes: logState.outputBytes,
    outputTruncated: false,
  };
}

const nothing = new Uint8Array(0);
