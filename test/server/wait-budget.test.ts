import { describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { outputOf } from './grammar.ts';
import { server } from './local.ts';
import { executionsOf, looping, text, withFunctions } from './modes.ts';
import { callWithTimeout } from './raw.ts';

withFunctions();

describe('a wait budget', () => {
  test('that ends first gives the state now and what is needed to go on with Watch and Wait', async () => {
    // The first call of a node waits for a guest host to start, and the budget is not for that.
    await server.functions.invokeFunction({ task: 'ticker', args: ['1'] });
    const response = await server.functions.invokeFunction({
      task: 'ticker',
      args: ['40', '100'],
      waitBudget: { seconds: 2n },
    });
    const { executionId, lastSequence } = response;
    expect(response).toMatchObject({ success: true, statusEndpoint: `/status/${executionId}` });
    expect(response.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(response.result).toMatchObject({
      status: ExecutionStatus.RUNNING,
      state: 'running.attempting',
      mode: ExecutionMode.SYNC,
      isAsync: false,
      isCompleted: false,
      attempt: 1,
      allowedEvents: ['cancel', 'suspend'],
    });
    expect(response.result?.completedAt).toBeUndefined();
    const rest = await collect(
      server.functions.watchExecution({ executionId, fromSequence: lastSequence + 1n }),
    );
    expect(rest[0]?.sequence).toBe(lastSequence + 1n);
    const before = text(response.result?.output);
    expect(before).toMatch(/^tick 1\n/);
    expect(before + text(outputOf(rest))).toBe(
      Array.from({ length: 40 }, (_, i) => `tick ${i + 1}\n`).join(''),
    );
    const waited = await server.functions.waitExecution({ executionId });
    expect(waited.result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(waited.lastSequence).toBe(rest.at(-1)?.sequence);
  });

  test('of WaitExecution that ends first is an answer too', async () => {
    const executionId = await looping();
    const waited = await server.functions.waitExecution({ executionId, waitBudget: { nanos: 50_000_000 } });
    expect(waited).toMatchObject({ statusEndpoint: `/status/${executionId}` });
    expect(waited.estimatedCompletionMs).toBeGreaterThan(0n);
    expect(waited.result).toMatchObject({ isCompleted: false, isAsync: true });
  });

  test('is kept by a gRPC deadline: the answer comes before it, and the execution goes on', async () => {
    const response = await server.functions.invokeFunction(
      // One that sleeps: the answer has a quarter of a second, and a loop would take a core from it.
      { task: 'ticker', args: ['2', '60000'], timeouts: { total: { seconds: 60n } } },
      { deadline: Date.now() + 2500 },
    );
    const { executionId } = response;
    expect(response.success).toBe(true);
    expect(response.result?.status).toBe(ExecutionStatus.RUNNING);
    expect(response.statusEndpoint).toBe(`/status/${executionId}`);
    const waited = await server.functions.waitExecution({ executionId }, { deadline: Date.now() + 2500 });
    expect(waited.result?.status).toBe(ExecutionStatus.RUNNING);
    await server.functions.cancelExecution({ executionId });
    expect((await server.functions.waitExecution({ executionId })).result?.errorCode).toBe(
      ErrorCode.CANCELLED,
    );
  });

  test('has no use for less than 20 ms: the call is refused and nothing is started', async () => {
    const before = await executionsOf('count');
    const answer = await callWithTimeout(server.grpcAddress, { task: 'count' }, '15m');
    expect(answer).toMatchObject({ status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE_TOO_NEAR' });
    expect(await executionsOf('count')).toEqual(before);
  });
});
