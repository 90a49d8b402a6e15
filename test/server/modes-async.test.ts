import { describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { server } from './local.ts';
import { text, withFunctions } from './modes.ts';

withFunctions();

describe('an async call', () => {
  test('answers PENDING with a status endpoint and an estimate, before anything has completed', async () => {
    const response = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['3', '20'],
      executionMode: ExecutionMode.ASYNC,
      metadata: { colour: 'red' },
    });
    const { executionId } = response;
    expect(response).toMatchObject({
      success: true,
      executionId: expect.stringMatching(/^exec_[0-9a-z]{26}$/),
      taskId: expect.stringMatching(/^task_[0-9a-z]{26}$/),
      instanceId: '',
      statusEndpoint: `/status/${executionId}`,
      joined: false,
    });
    expect(response.lastSequence).toBeGreaterThan(0n);
    expect(response.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(response.result).toMatchObject({
      status: ExecutionStatus.PENDING,
      state: 'pending.queued',
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      isCompleted: false,
      attempt: 0,
      outputBytes: 0n,
      errorCode: ErrorCode.UNSPECIFIED,
      metadata: { colour: 'red' },
      allowedEvents: ['cancel', 'suspend'],
    });
    expect(response.result?.completedAt).toBeUndefined();
    expect(response.result?.startedAt).toBeUndefined();
    expect(response.result?.exitCode).toBeUndefined();
    expect(response.result?.createdAt).toBeDefined();

    const waited = await server.functions.waitExecution({ executionId });
    expect(waited).toMatchObject({ statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(waited.result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      isCompleted: true,
    });
    expect(text(waited.result?.output)).toBe('tick 1\ntick 2\ntick 3\n');
    expect(text(waited.result?.errorOutput)).toBe('done\n');
    expect(waited.result?.completedAt).toBeDefined();
  });

  test('answers PENDING even where the function takes no time at all', async () => {
    for (let round = 0; round < 20; round++) {
      const response = await server.functions.invokeFunction({
        task: 'typed',
        functionName: 'ping',
        executionMode: ExecutionMode.ASYNC,
      });
      expect(response.result).toMatchObject({ status: ExecutionStatus.PENDING, isCompleted: false });
      expect(response.result?.completedAt).toBeUndefined();
      expect(response.statusEndpoint).toBe(`/status/${response.executionId}`);
    }
  });

  test('has an estimate of the total timeout or 5 s, whichever is less, until there is a history', async () => {
    await server.register('unknown-duration', 'ticker/ticker.wasm');
    const invoke = (seconds: bigint) =>
      server.functions.invokeFunction({
        task: 'unknown-duration',
        args: ['1'],
        executionMode: ExecutionMode.ASYNC,
        startAfter: { seconds: 3600n },
        timeouts: { total: { seconds } },
      });
    const long = await invoke(200n);
    const short = await invoke(2n);
    expect(long.estimatedCompletionMs).toBe(5000n);
    expect(short.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(short.estimatedCompletionMs).toBeLessThanOrEqual(2000n);
    for (const { executionId } of [long, short]) await server.functions.cancelExecution({ executionId });
  });

  test('has the median of the runs before as its estimate once there are some', async () => {
    await server.register('known-duration', 'ticker/ticker.wasm');
    const request = { task: 'known-duration', args: ['2', '200'] };
    const { result } = await server.functions.invokeFunction(request);
    const { estimatedCompletionMs, executionId } = await server.functions.invokeFunction({
      ...request,
      executionMode: ExecutionMode.ASYNC,
    });
    // Less what has passed by the time of the answer, which a busy machine decides.
    expect(Number(estimatedCompletionMs)).toBeLessThanOrEqual(
      Math.ceil(result?.executionTimeMs ?? Number.NaN),
    );
    expect(Number(estimatedCompletionMs)).toBeGreaterThan(0);
    await server.functions.waitExecution({ executionId });
  });

  test('of a function that fails is a success: the execution was accepted', async () => {
    const response = await server.functions.invokeFunction({
      task: 'exit',
      executionMode: ExecutionMode.ASYNC,
    });
    expect(response.success).toBe(true);
    const { result } = await server.functions.waitExecution({ executionId: response.executionId });
    expect(result).toMatchObject({ errorCode: ErrorCode.FUNCTION_EXIT, exitCode: 7, isAsync: true });
  });
});
