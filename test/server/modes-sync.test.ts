import { timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test } from 'vitest';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  ExecutionStatus,
} from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { outputOf } from './grammar.ts';
import { server } from './local.ts';
import { counted, list, number, text, withFunctions, words } from './modes.ts';

withFunctions();

describe('a sync call', () => {
  test('answers with the whole result, no status endpoint and no estimate', async () => {
    const before = Date.now();
    const response = await server.functions.invokeFunction({
      task: 'count',
      input: words,
      contentType: 'text/plain',
      executionMode: ExecutionMode.SYNC,
      metadata: { colour: 'blue' },
    });
    const after = Date.now();
    expect(response).toMatchObject({
      success: true,
      message: 'completed',
      executionId: expect.stringMatching(/^exec_[0-9a-z]{26}$/),
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      instanceId: expect.stringMatching(/./),
      statusEndpoint: '',
      estimatedCompletionMs: 0n,
      lastSequence: 4n,
      joined: false,
    });
    const { result } = response;
    expect(result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      state: 'completed',
      mode: ExecutionMode.SYNC,
      isAsync: false,
      isCompleted: true,
      outputBytes: BigInt(counted.length),
      outputTruncated: false,
      exitCode: 0,
      errorCode: ErrorCode.UNSPECIFIED,
      errorOrigin: ErrorOrigin.UNSPECIFIED,
      errorMessage: '',
      attempt: 1,
      requestId: expect.stringMatching(/./),
      metadata: { colour: 'blue' },
      allowedEvents: [],
      executionId: response.executionId,
      taskId: response.taskId,
      taskName: 'count',
      taskRevision: 1,
      functionName: '',
      instanceId: response.instanceId,
    });
    expect(text(result?.output)).toBe(counted);
    expect(text(result?.errorOutput)).toBe('');
    expect(result?.resourceUse?.peakMemoryBytes).toBeGreaterThan(0n);
    expect(result?.executionTimeMs).toBeGreaterThan(0);
    const times = [result?.createdAt, result?.startedAt, result?.completedAt, result?.timestamp].map(
      (time) => (time === undefined ? Number.NaN : timestampMs(time)),
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times[3]).toBeLessThanOrEqual(after + 1);
  });

  test('is what a request without a mode is', async () => {
    const response = await server.functions.invokeFunction({ task: 'count', input: words });
    expect(response).toMatchObject({ success: true, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(response.result).toMatchObject({ mode: ExecutionMode.SYNC, isAsync: false, isCompleted: true });
    expect(text(response.result?.output)).toBe(counted);
  });

  test('of a function that exits with 7 is answered, with the code, the output and success false', async () => {
    const response = await server.functions.invokeFunction({ task: 'exit' });
    expect(response).toMatchObject({ success: false, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(response.message).toContain('FUNCTION_EXIT');
    expect(response.result).toMatchObject({
      status: ExecutionStatus.FAILED,
      state: 'failed',
      isCompleted: true,
      exitCode: 7,
      errorCode: ErrorCode.FUNCTION_EXIT,
      errorOrigin: ErrorOrigin.USER,
      errorMessage: expect.stringContaining('7'),
    });
    expect(text(response.result?.output)).toBe('bye\n');
    expect(text(response.result?.errorOutput)).toBe('leaving\n');
  });

  test('of a typed function has the result as one JSON value', async () => {
    const { result } = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'sum',
      parameters: { values: list(['18446744073709551', 4]) },
    });
    expect(result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      contentType: 'application/json',
      functionName: 'spear:examples/calc@0.1.0#sum',
    });
    expect(JSON.parse(text(result?.output))).toBe('18446744073709555');
  });

  test('of a typed function that returns nothing has null, and its error side FUNCTION_ERROR with the value', async () => {
    const nothing = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'ensure',
      parameters: { ok: { kind: { case: 'boolValue', value: true } } },
    });
    expect(text(nothing.result?.output)).toBe('null');
    const divided = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'divide',
      parameters: { a: number(1), b: number(0) },
    });
    expect(divided.success).toBe(false);
    expect(divided.result).toMatchObject({
      status: ExecutionStatus.FAILED,
      errorCode: ErrorCode.FUNCTION_ERROR,
      errorOrigin: ErrorOrigin.USER,
      contentType: 'application/json',
    });
    expect(JSON.parse(text(divided.result?.output))).toEqual(expect.any(String));
  });

  test('carries no more output than it asked for and says so, while the log has all of it', async () => {
    const response = await server.functions.invokeFunction({
      task: 'count',
      input: words,
      maxInlineBytes: 3,
    });
    expect(response.result).toMatchObject({
      outputTruncated: true,
      outputBytes: BigInt(counted.length),
      isCompleted: true,
    });
    expect(text(response.result?.output)).toBe(counted.slice(0, 3));
    const { executionId } = response;
    const events = await collect(server.functions.watchExecution({ executionId }));
    expect(text(outputOf(events))).toBe(counted);
    const whole = await server.functions.getExecutionStatus({ executionId, includeOutput: true });
    expect(whole.result?.outputTruncated).toBe(false);
  });
});
