/** What became of a task that was run over HTTP: its output as it is, or why there is none. */
import { isUtf8 } from 'node:buffer';
import type { ServerResponse } from 'node:http';
import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { CallContext } from './call.ts';
import { writable } from './download.ts';
import type { FunctionService as FunctionHandlers } from './function-service.ts';
import {
  CacheUse,
  ErrorCode,
  type ExecutionResult,
  ExecutionStatus,
  type InvokeFunctionResponse,
  OutputStream,
  WatchExecutionRequestSchema,
} from './gen/spearlet/function_pb.js';
import { sendJson } from './http-answer.ts';
import { keepOpenForBody } from './http-body.ts';
import type { Preferences } from './http-preferences.ts';

export interface Outcome {
  readonly answer: InvokeFunctionResponse;
  readonly preferences: Preferences;
  /** The header of that name. */
  readonly accept: string | undefined;
}

type Functions = Pick<FunctionHandlers, 'watchExecution'>;

/** A gateway's words: what is behind it has failed, or has not answered in time. A cancel was somebody's wish. */
const failureCodes: Partial<Record<ExecutionStatus, number>> = {
  [ExecutionStatus.FAILED]: 502,
  [ExecutionStatus.TIMED_OUT]: 504,
  [ExecutionStatus.CANCELLED]: 409,
};

/** Of stderr in an answer about a failure, in bytes: its end, which says why. */
const mostErrorOutput = 8 * 1024;

/** 200 with the output, 202 where it has not ended, 410 where it is not kept any more, and 502, 504 or 409 with an error. */
export async function sendOutcome(
  functions: Functions,
  response: ServerResponse,
  call: CallContext,
  outcome: Outcome,
): Promise<void> {
  const { answer, preferences, accept } = outcome;
  const { result } = answer;
  if (result === undefined || response.writableEnded) return;
  describe(response, answer, result);
  if (!result.isCompleted) return sendAccepted(response, answer, preferences);
  const code = failureCodes[result.status];
  if (code !== undefined) return sendJson(response, code, failure(result));
  if (result.outputTruncated) {
    if (result.oldestSequence > 1n) return sendJson(response, 410, outputGone(answer.executionId));
    return sendWholeOutput(functions, response, call, result, accept);
  }
  const output = Buffer.from(result.output.buffer, result.output.byteOffset, result.output.byteLength);
  keepOpenForBody(response);
  response.writeHead(200, {
    ...headersOf(result, accept, output),
    'content-length': output.byteLength,
  });
  response.end(output);
}

/** What stands beside the output, in headers. */
function describe(response: ServerResponse, answer: InvokeFunctionResponse, result: ExecutionResult): void {
  response.setHeader('spear-execution-id', answer.executionId);
  response.setHeader('spear-status', ExecutionStatus[result.status] ?? '');
  if (result.attempt > 0) response.setHeader('spear-attempt', result.attempt);
  if (result.exitCode !== undefined) response.setHeader('spear-exit-code', result.exitCode);
  if (result.errorCode !== ErrorCode.UNSPECIFIED) {
    response.setHeader('spear-error-code', ErrorCode[result.errorCode] ?? '');
  }
  if (result.cacheUse !== CacheUse.UNSPECIFIED) response.setHeader('spear-cache', CacheUse[result.cacheUse]);
  if (result.cachedAt !== undefined && result.timestamp !== undefined) {
    const age = timestampMs(result.timestamp) - timestampMs(result.cachedAt);
    response.setHeader('age', Math.max(0, Math.floor(age / 1000)));
    response.setHeader('spear-cached-from', result.cachedFromExecutionId);
  }
  if (answer.joined) response.setHeader('spear-joined', 'true');
}

function sendAccepted(
  response: ServerResponse,
  { executionId, estimatedCompletionMs, result }: InvokeFunctionResponse,
  { respondAsync, waitSeconds }: Preferences,
): void {
  const location = `/status/${executionId}`;
  response.setHeader('location', location);
  response.setHeader('retry-after', Math.max(1, Math.ceil(Number(estimatedCompletionMs) / 1000)));
  if (respondAsync) response.setHeader('preference-applied', 'respond-async');
  else if (waitSeconds !== undefined) response.setHeader('preference-applied', `wait=${waitSeconds}`);
  sendJson(response, 202, {
    ...{ executionId, status: ExecutionStatus[result?.status ?? 0], state: result?.state },
    statusEndpoint: location,
  });
}

function outputGone(executionId: string) {
  const message = 'the output is no longer kept; the execution has completed';
  return { error: { code: 'OUT_OF_RANGE', reason: 'SEQUENCE_GONE', message, executionId } };
}

function failure(result: ExecutionResult) {
  const { executionId, errorMessage, exitCode, output, errorOutput, contentType } = result;
  const stderr = Buffer.from(errorOutput.subarray(Math.max(0, errorOutput.byteLength - mostErrorOutput)));
  return {
    error: {
      code: ExecutionStatus[result.status],
      reason: ErrorCode[result.errorCode],
      message: errorMessage.toWellFormed(),
      executionId,
      ...(exitCode !== undefined && { exitCode }),
      // The error side of a typed function's result.
      ...(contentType === 'application/json' &&
        output.byteLength > 0 && { value: JSON.parse(Buffer.from(output).toString()) as unknown }),
      ...(stderr.byteLength > 0 && { errorOutput: stderr.toString() }),
    },
  };
}

/** A typed function's value is JSON; a command's output is what the caller says that it wants, or what it looks like. */
function headersOf(result: ExecutionResult, accept: string | undefined, output: Buffer | undefined) {
  const guessed =
    output === undefined || !isUtf8(output) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
  return {
    'content-type': result.contentType || onlyType(accept) || guessed,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/** The one type that a caller takes; empty where it takes several, or any. */
function onlyType(accept: string | undefined): string {
  const type = accept?.split(';', 1)[0]?.trim() ?? '';
  return accept?.includes(',') === false && /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : '';
}

/** What is more than an answer carries comes from the log, as it is read there: the last attempt's stdout. */
async function sendWholeOutput(
  functions: Functions,
  response: ServerResponse,
  call: CallContext,
  result: ExecutionResult,
  accept: string | undefined,
): Promise<void> {
  const { executionId, attempt } = result;
  const watched = create(WatchExecutionRequestSchema, { executionId, fromSequence: 1n });
  await functions.watchExecution(watched, call, ({ event, attempt: ofAttempt }) => {
    if (event.case !== 'chunk' || ofAttempt !== attempt || event.value.stream !== OutputStream.STDOUT)
      return undefined;
    // An error before the first of it is an answer of its own.
    if (!response.headersSent) {
      keepOpenForBody(response);
      response.writeHead(200, headersOf(result, accept, undefined));
    }
    return response.destroyed || response.write(event.value.data) ? undefined : writable(response);
  });
  response.end();
}
