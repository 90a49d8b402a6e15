import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { server } from './local.ts';
import { executionsOf, list, number, withFunctions, words } from './modes.ts';
import { refusal } from './refusal.ts';

withFunctions();

describe('an invocation id', () => {
  const basis = () => ({
    task: 'typed',
    functionName: 'add',
    parameters: { a: number(1), b: number(2) },
    contentType: 'text/plain',
    invocationId: randomUUID(),
  });

  test('that comes again joins the execution, whatever the mode, timeouts, budgets and metadata', async () => {
    const request = { ...basis(), task: 'ticker', functionName: '', parameters: {}, args: ['3', '60'] };
    const first = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(first).toMatchObject({ joined: false, result: { requestId: request.invocationId } });
    const { executionId } = first;
    const again = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(again).toMatchObject({ joined: true, executionId, success: true });
    const sync = await server.functions.invokeFunction({
      ...request,
      executionMode: ExecutionMode.SYNC,
      metadata: { other: 'labels' },
      timeouts: { total: { seconds: 100n } },
      waitBudget: { seconds: 30n },
    });
    expect(sync).toMatchObject({ joined: true, executionId, statusEndpoint: '' });
    expect(sync.result).toMatchObject({
      status: ExecutionStatus.COMPLETED,
      mode: ExecutionMode.ASYNC,
      isAsync: true,
      metadata: {},
    });
    const events = await collect(server.functions.streamFunction(request));
    expect(expectWholeLog(events).executionId).toBe(executionId);
    const late = await server.functions.invokeFunction({ ...request, executionMode: ExecutionMode.ASYNC });
    expect(late).toMatchObject({ joined: true, executionId, statusEndpoint: '', estimatedCompletionMs: 0n });
    expect(late.result).toMatchObject({ status: ExecutionStatus.COMPLETED, isCompleted: true });
  });

  test('joins by the meaning of the parameters, not by their order', async () => {
    const point = { x: number(1), y: number(2) };
    const turned = { y: number(2), x: number(1) };
    const struct = (fields: typeof point) => ({ kind: { case: 'structValue' as const, value: { fields } } });
    const request = { ...basis(), functionName: 'translate' };
    const by = list([1, 1]);
    const first = await server.functions.invokeFunction({
      ...request,
      parameters: { p: struct(point), by },
    });
    const second = await server.functions.invokeFunction({
      ...request,
      parameters: { by, p: struct(turned) },
    });
    expect(second).toMatchObject({ joined: true, executionId: first.executionId });
  });

  test('joins where the function is named in full the first time and short the second', async () => {
    const request = basis();
    const first = await server.functions.invokeFunction({
      ...request,
      functionName: 'spear:examples/calc@0.1.0#add',
    });
    const second = await server.functions.invokeFunction(request);
    expect(second).toMatchObject({ joined: true, executionId: first.executionId });
  });

  test.each([
    ['task', { task: 'count', functionName: '', parameters: {} }],
    ['function', { functionName: 'divide' }],
    ['parameter', { parameters: { a: { kind: { case: 'numberValue' as const, value: 9 } }, b: number(2) } }],
    ['input', { input: words }],
    ['content type', { contentType: 'text/html' }],
    ['argument', { args: ['x'] }],
    ['environment', { environment: { A: '1' } }],
  ])('with another %s is ALREADY_EXISTS, naming the other execution', async (_what, change) => {
    const request = basis();
    const { executionId } = await server.functions.invokeFunction(request);
    const calls = [
      () => server.functions.invokeFunction({ ...request, ...change }),
      () => server.functions.streamFunction({ ...request, ...change }),
    ];
    for (const call of calls) {
      const refused = await refusal(call());
      expect(refused).toMatchObject({ code: 'ALREADY_EXISTS', metadata: { execution_id: executionId } });
      expect(refused.message).toContain(executionId);
    }
  });

  test('that comes many times at once runs once', async () => {
    const request = { ...basis(), task: 'ticker', functionName: '', parameters: {}, args: ['2', '50'] };
    const known = await executionsOf('ticker');
    const responses = await Promise.all(
      Array.from({ length: 40 }, () => server.functions.invokeFunction(request)),
    );
    expect(new Set(responses.map((response) => response.executionId)).size).toBe(1);
    expect(responses.filter((response) => !response.joined)).toHaveLength(1);
    for (const { result } of responses) expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(await executionsOf('ticker')).toHaveLength(known.length + 1);
  });
});
