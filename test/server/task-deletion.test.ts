import { describe, expect, test } from 'vitest';
import { ErrorCode, ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { cat, names } from './tasks.ts';

withServer({ slots: '2' });

describe('DeleteTask', () => {
  test('ends new invocations, and the name is free at once', async () => {
    const old = await server.register('gone', cat);
    expect(await server.tasks.deleteTask({ task: 'gone' })).toMatchObject({
      taskId: old.taskId,
      cancelledExecutions: 0,
    });
    for (const task of ['gone', old.taskId]) {
      for (const call of [
        () => server.functions.invokeFunction({ task }),
        () => server.tasks.getTask({ task }),
        () => server.tasks.deleteTask({ task }),
      ]) {
        expect((await refusal(call())).code).toBe('NOT_FOUND');
      }
    }
    expect(await names()).not.toContain('gone');
    const next = await server.register('gone', cat);
    expect(next.taskId).not.toBe(old.taskId);
    expect(next.revision).toBe(1);
  });

  test('leaves alone what was admitted: it runs to its end and stays listed by the id', async () => {
    const { taskId } = await server.register('leaving', 'ticker/ticker.wasm');
    const started = [];
    for (let count = 0; count < 4; count++) {
      started.push(
        await server.functions.invokeFunction({
          task: 'leaving',
          args: ['3', '40'],
          executionMode: ExecutionMode.ASYNC,
        }),
      );
    }
    expect(await server.tasks.deleteTask({ task: taskId })).toMatchObject({ cancelledExecutions: 0 });
    for (const { executionId } of started) {
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED, taskName: 'leaving', taskId });
    }
    const { executions } = await server.functions.listExecutions({ task: taskId });
    expect(executions).toHaveLength(4);
  });

  test('with cancel_executions ends what runs and what waits', async () => {
    const { taskId } = await server.register('stopped', 'misbehaving/loop.wasm');
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) {
      const { executionId } = await server.functions.invokeFunction({
        task: 'stopped',
        executionMode: ExecutionMode.ASYNC,
        ...(count === 4 && { startAfter: { seconds: 100n } }),
      });
      ids.push(executionId);
    }
    expect(await server.tasks.deleteTask({ task: 'stopped', cancelExecutions: true })).toEqual(
      expect.objectContaining({ taskId, cancelledExecutions: 5 }),
    );
    for (const executionId of ids) {
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({
        status: ExecutionStatus.CANCELLED,
        errorCode: ErrorCode.CANCELLED,
        errorMessage: expect.stringContaining('deleted'),
      });
    }
  });
});
