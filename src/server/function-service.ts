/** FunctionService: each method is the admission of a request, or an observer put on an execution. */
import type { Clock } from '../domain/clock.ts';
import { invalidArgument, RequestError } from '../domain/errors.ts';
import type { ExecutionMode, ExecutionRecord } from '../domain/execution.ts';
import type { Admission, Executions } from '../domain/executions.ts';
import type { LogCursor } from '../domain/log.ts';
import { asyncResponse, noOutput, syncResponse } from '../domain/response.ts';
import { waitForAdmission } from '../observers/async.ts';
import { mostInlineBytes, readOutput } from '../observers/output.ts';
import { followLog } from '../observers/stream.ts';
import { waitForOutcome } from '../observers/sync.ts';
import type { SeenExecution } from './access/seen-executions.ts';
import { type AdmissionRequestOptions, admissionRequest } from './admission-request.ts';
import type { CallContext, StreamHandler, UnaryHandler } from './call.ts';
import { createExecutionControl, type ExecutionControl } from './execution-control.ts';
import { createListExecutions, type ExecutionList } from './execution-list.ts';
import {
  type GetExecutionStatusRequest,
  type GetExecutionStatusResponse,
  type InvokeFunctionRequest,
  type InvokeFunctionResponse,
  type ListExecutionsRequest,
  type ListExecutionsResponse,
  type StreamExecutionResult,
  type WaitExecutionRequest,
  type WaitExecutionResponse,
  type WatchExecutionRequest,
  ExecutionMode as WireMode,
} from './gen/spearlet/function_pb.js';
import type { PageTokens } from './page-tokens.ts';
import {
  eventToWire,
  invokeResponseToWire,
  statusResponseToWire,
  waitResponseToWire,
} from './wire/execution.ts';
import { positiveDuration } from './wire/fields.ts';
import { inlineBytes } from './wire/invocation.ts';
import { rehearsalToWire } from './wire/rehearsal.ts';

export interface FunctionServiceOptions extends AdmissionRequestOptions {
  readonly executions: Executions;
  readonly seen: SeenExecution;
  readonly list: ExecutionList;
  readonly pageTokens: PageTokens;
  readonly clock: Clock;
}

export interface FunctionService extends ExecutionControl {
  readonly invokeFunction: UnaryHandler<InvokeFunctionRequest, InvokeFunctionResponse>;
  readonly streamFunction: StreamHandler<InvokeFunctionRequest, StreamExecutionResult>;
  readonly getExecutionStatus: UnaryHandler<GetExecutionStatusRequest, GetExecutionStatusResponse>;
  readonly waitExecution: UnaryHandler<WaitExecutionRequest, WaitExecutionResponse>;
  readonly watchExecution: StreamHandler<WatchExecutionRequest, StreamExecutionResult>;
  readonly listExecutions: UnaryHandler<ListExecutionsRequest, ListExecutionsResponse>;
}

/** A caller with less than this left has no use for an answer, in milliseconds. */
const leastDeadlineMs = 20;

export function createFunctionService(options: FunctionServiceOptions): FunctionService {
  const { executions, seen, clock } = options;
  const now = (): number => Math.round(clock.now());

  const admit = async (
    request: InvokeFunctionRequest,
    mode: ExecutionMode,
    call: CallContext,
  ): Promise<Admission> => {
    if (call.deadlineMs !== undefined && call.deadlineMs < leastDeadlineMs) {
      throw new RequestError('deadline_exceeded', 'the deadline is too near; nothing was started', {
        reason: 'DEADLINE_TOO_NEAR',
      });
    }
    const admission = await executions.admit(await admissionRequest(options, request, mode, call));
    call.onGone((how) => admission.cursor.close(how));
    return admission;
  };

  const view = async (cursor: LogCursor, record: ExecutionRecord, most: number) =>
    syncResponse(record, await readOutput(cursor, record, most), executions.estimate(record), now());

  const follow = async (
    cursor: LogCursor,
    from: number,
    most: number,
    send: (message: StreamExecutionResult) => Promise<void> | undefined,
  ): Promise<void> => {
    try {
      for await (const page of followLog(cursor, from)) {
        for (const event of page) {
          if (cursor.closed) return;
          const final = event.kind === 'result' ? await view(cursor, cursor.record, most) : undefined;
          const busy = send(eventToWire(cursor.executionId, event, final));
          if (busy !== undefined) await busy;
        }
      }
    } finally {
      cursor.close('done');
    }
  };

  return {
    async invokeFunction(request, call) {
      const mode = unaryMode(request.executionMode);
      const budget = positiveDuration('wait_budget', request.waitBudget);
      const most = inlineBytes(request.maxInlineBytes);
      if (request.dryRun) {
        const asked = await admissionRequest(options, request, mode, call);
        return rehearsalToWire(asked.task, await executions.rehearse(asked));
      }
      const { cursor, joined } = await admit(request, mode, call);
      try {
        if (mode === 'async') {
          const record = await waitForAdmission(cursor);
          // Who joins hears how things stand; who created it, that it was accepted.
          const response = joined
            ? syncResponse(record, noOutput, executions.estimate(record), now())
            : asyncResponse(record, Math.max(1, executions.estimate(record)), now());
          return invokeResponseToWire(response, joined);
        }
        const record = await waitForOutcome(cursor, waitBudget(budget, call), clock);
        return invokeResponseToWire(await view(cursor, record, most), joined);
      } finally {
        cursor.close('done');
      }
    },

    async streamFunction(request, call, send) {
      checkStreamMode(request.executionMode);
      const most = inlineBytes(request.maxInlineBytes);
      if (request.dryRun)
        throw invalidArgument('dry_run', 'is for the InvokeFunction method; allowed here is false');
      const { cursor } = await admit(request, 'stream', call);
      await follow(cursor, 1, most, send);
    },

    async getExecutionStatus(request, { scope }) {
      const most = inlineBytes(request.maxInlineBytes);
      const cursor = await executions.attach(await seen(scope, request.executionId), 'glance');
      try {
        const { record } = cursor;
        const output = request.includeOutput ? await readOutput(cursor, record, most) : noOutput;
        const response = syncResponse(record, output, executions.estimate(record), now());
        const related = await executions.related(record, scope);
        return statusResponseToWire(response, related, await executions.nodeOf(record));
      } finally {
        cursor.close('done');
      }
    },

    async waitExecution(request, call) {
      const budget = positiveDuration('wait_budget', request.waitBudget);
      const most = inlineBytes(request.maxInlineBytes);
      const cursor = await executions.attach(await seen(call.scope, request.executionId));
      call.onGone((how) => cursor.close(how));
      try {
        const record = await waitForOutcome(cursor, waitBudget(budget, call), clock);
        return waitResponseToWire(await view(cursor, record, most));
      } finally {
        cursor.close('done');
      }
    },

    async watchExecution(request, call, send) {
      const from = sequenceFrom(request.fromSequence);
      const cursor = await executions.attach(await seen(call.scope, request.executionId));
      call.onGone((how) => cursor.close(how));
      await follow(cursor, from, mostInlineBytes, send);
    },

    ...createExecutionControl(executions, seen),
    listExecutions: createListExecutions(options),
  };
}

function unaryMode(mode: WireMode): 'sync' | 'async' {
  switch (mode) {
    case WireMode.UNSPECIFIED:
    case WireMode.SYNC:
      return 'sync';
    case WireMode.ASYNC:
      return 'async';
    case WireMode.STREAM:
      throw invalidArgument(
        'execution_mode',
        'STREAM is for the StreamFunction method; allowed here are SYNC and ASYNC',
      );
    default:
      throw invalidArgument(
        'execution_mode',
        `${String(mode)} is not a mode; allowed are SYNC (1), ASYNC (2) and STREAM (3)`,
      );
  }
}

function checkStreamMode(mode: WireMode): void {
  if (mode !== WireMode.UNSPECIFIED && mode !== WireMode.STREAM) {
    throw invalidArgument('execution_mode', 'StreamFunction streams; allowed are STREAM and no mode at all');
  }
}

/** With a deadline the answer comes a little before it: 10 % of what it was, at least 20 ms and at most 250 ms. */
function waitBudget(budgetMs: number | undefined, call: CallContext): number | undefined {
  const remaining = call.remainingMs();
  if (remaining === undefined || call.deadlineMs === undefined) return budgetMs;
  const margin = Math.min(250, Math.max(20, call.deadlineMs * 0.1));
  const untilDeadline = Math.max(0, remaining - margin);
  return budgetMs === undefined ? untilDeadline : Math.min(budgetMs, untilDeadline);
}

/** No log is as long as this; whoever asks beyond hears where it ends. */
function sequenceFrom(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
