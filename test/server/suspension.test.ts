import { describe, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { collect } from './collect.ts';
import { expectWholeLog } from './grammar.ts';
import { server, withServer } from './local.ts';
import { looping, words } from './modes.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4' }, async () => {
  await server.register('count', 'wordcount/wordcount.wasm', {
    timeouts: { total: { seconds: 7200n } },
  });
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('once', 'misbehaving/loop.wasm', { onInterrupt: InterruptPolicy.FAIL });
});

async function resultOf(executionId: string) {
  return (await server.functions.getExecutionStatus({ executionId })).result;
}

async function reaches(executionId: string, state: string): Promise<void> {
  await expect.poll(async () => (await resultOf(executionId))?.state).toBe(state);
}

describe('a pending execution', () => {
  test('stays pending while it is held, and runs once it is resumed', async () => {
    const { executionId } = await server.functions.invokeFunction({
      task: 'count',
      input: words,
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 3600n },
    });
    const held = { status: ExecutionStatus.PENDING, state: 'pending.held' };
    expect(await server.functions.suspendExecution({ executionId })).toMatchObject({
      changed: true,
      ...held,
    });
    expect(await server.functions.suspendExecution({ executionId })).toMatchObject({
      changed: false,
      ...held,
    });
    expect(await resultOf(executionId)).toMatchObject({ ...held, allowedEvents: ['cancel', 'resume'] });
    // Its start delay goes on with what was left of it.
    const waiting = { status: ExecutionStatus.PENDING, state: 'pending.waiting' };
    expect(await server.functions.resumeExecution({ executionId })).toMatchObject({
      changed: true,
      ...waiting,
    });
    expect(await server.functions.resumeExecution({ executionId })).toMatchObject({
      changed: false,
      ...waiting,
    });
    expect(await resultOf(executionId)).toMatchObject({ ...waiting, allowedEvents: ['cancel', 'suspend'] });
    await server.functions.cancelExecution({ executionId });
    const log = await collect(server.functions.watchExecution({ executionId }));
    expect(expectWholeLog(log).status).toBe(ExecutionStatus.CANCELLED);
  });

  test('that is held can be cancelled', async () => {
    const { executionId } = await server.functions.invokeFunction({
      task: 'count',
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 3600n },
    });
    await server.functions.suspendExecution({ executionId });
    expect(await server.functions.cancelExecution({ executionId })).toMatchObject({
      changed: true,
      status: ExecutionStatus.CANCELLED,
    });
  });
});

describe('a running wasm attempt', () => {
  test('ends and is run anew by resume, as its policy says', async () => {
    const executionId = await looping();
    await reaches(executionId, 'running.attempting');
    expect((await server.functions.suspendExecution({ executionId })).changed).toBe(true);
    await expect.poll(async () => (await resultOf(executionId))?.allowedEvents).toContain('resume');
    expect((await server.functions.resumeExecution({ executionId })).changed).toBe(true);
    await reaches(executionId, 'running.attempting');
    expect(await resultOf(executionId)).toMatchObject({ attempt: 2 });
    await server.functions.cancelExecution({ executionId });
    const log = await collect(server.functions.watchExecution({ executionId }));
    expect(expectWholeLog(log).status).toBe(ExecutionStatus.CANCELLED);
  });

  test('that may not be run again is refused, and goes on', async () => {
    const { executionId } = await server.functions.invokeFunction({
      task: 'once',
      executionMode: ExecutionMode.ASYNC,
    });
    await reaches(executionId, 'running.attempting');
    const refused = await refusal(server.functions.suspendExecution({ executionId }));
    expect(refused, refused.message).toMatchObject({ code: 'FAILED_PRECONDITION' });
    expect(await resultOf(executionId)).toMatchObject({ state: 'running.attempting', attempt: 1 });
    await server.functions.cancelExecution({ executionId });
  });
});

describe('an execution that has ended', () => {
  test('is neither held nor resumed', async () => {
    const { executionId } = await server.functions.invokeFunction({ task: 'count', input: words });
    for (const call of [
      () => server.functions.suspendExecution({ executionId }),
      () => server.functions.resumeExecution({ executionId }),
    ]) {
      expect(await refusal(call())).toMatchObject({ code: 'FAILED_PRECONDITION' });
    }
    expect(await resultOf(executionId)).toMatchObject({ state: 'completed' });
  });

  test('is forgotten with its log when it is deleted, and its invocation id is free', async () => {
    const request = { task: 'count', input: words, invocationId: 'again' };
    const { executionId } = await server.functions.invokeFunction(request);
    await server.functions.deleteExecution({ executionId });
    for (const call of [
      () => server.functions.getExecutionStatus({ executionId }),
      () => server.functions.watchExecution({ executionId }),
      () => server.functions.deleteExecution({ executionId }),
    ]) {
      expect(await refusal(call())).toMatchObject({ code: 'NOT_FOUND', reason: 'EXECUTION_NOT_FOUND' });
    }
    const { executions } = await server.functions.listExecutions({ task: 'count', pageSize: 1000 });
    expect(executions.map((execution) => execution.executionId)).not.toContain(executionId);
    const second = await server.functions.invokeFunction(request);
    expect(second).toMatchObject({ joined: false, success: true });
    expect(second.executionId).not.toBe(executionId);
  });
});

test('an execution that has not ended is not deleted', async () => {
  const executionId = await looping();
  const refused = await refusal(server.functions.deleteExecution({ executionId }));
  expect(refused, refused.message).toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect((await resultOf(executionId))?.isCompleted).toBe(false);
});

describe.each(['suspendExecution', 'resumeExecution', 'deleteExecution'] as const)('%s', (method) => {
  test('of an execution that never was is NOT_FOUND', async () => {
    const executionId = 'exec_00000000000000000000000000';
    const refused = await refusal(server.functions[method]({ executionId }));
    expect(refused).toMatchObject({ code: 'NOT_FOUND', reason: 'EXECUTION_NOT_FOUND' });
    expect(refused.message).toContain(executionId);
  });

  test.each(['', 'task_1', 'exec_\0', `exec_${'x'.repeat(300)}`])(
    'refuses the id %j',
    async (executionId) => {
      expect(await refusal(server.functions[method]({ executionId }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        fields: { execution_id: expect.any(String) },
      });
    },
  );
});
