import { describe, expect, test } from 'vitest';
import { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { expectWholeLog } from './grammar.ts';
import { log, occupy, server, start, stateOf, withMeasuredServer } from './isolation.ts';

withMeasuredServer();

describe('a cancel', () => {
  const cancel = (executionId: string) =>
    server.functions.cancelExecution({ executionId, reason: 'not wanted' });

  const expectCancelled = async (executionId: string, attempt: number) => {
    const result = expectWholeLog(await log(executionId));
    expect(result).toMatchObject({
      status: ExecutionStatus.CANCELLED,
      state: 'cancelled',
      errorCode: ErrorCode.CANCELLED,
      errorOrigin: ErrorOrigin.POLICY,
      errorMessage: expect.stringContaining('not wanted'),
      attempt,
    });
    expect(await cancel(executionId)).toMatchObject({ changed: false, status: ExecutionStatus.CANCELLED });
  };

  test('of what waits for a slot ends it at once, and it never starts', async () => {
    await occupy();
    const executionId = await start({ task: 'exit' });
    expect(await stateOf(executionId)()).toBe('pending.queued');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 0);
  });

  test('of what waits for its start time ends it at once', async () => {
    const executionId = await start({ task: 'exit', startAfter: { seconds: 250n } });
    expect(await stateOf(executionId)()).toBe('pending.waiting');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 0);
  });

  test('of what runs is heard before it is gone, and then it is', async () => {
    const executionId = await start({ task: 'loop' });
    await expect.poll(stateOf(executionId)).toBe('running.attempting');
    const { changed, status } = await cancel(executionId);
    expect(changed).toBe(true);
    expect([ExecutionStatus.RUNNING, ExecutionStatus.CANCELLED]).toContain(status);
    await expectCancelled(executionId, 1);
  });

  test('of what waits between two attempts ends it at once', async () => {
    await server.register('patient', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 2, initial: { seconds: 200n }, max: { seconds: 200n } },
    });
    const executionId = await start({ task: 'patient' });
    await expect.poll(stateOf(executionId)).toBe('running.backingOff');
    expect(await cancel(executionId)).toMatchObject({ changed: true, status: ExecutionStatus.CANCELLED });
    await expectCancelled(executionId, 1);
  });

  test('of what has ended changes nothing', async () => {
    const { executionId } = await server.functions.invokeFunction({ task: 'exit', args: ['0'] });
    expect(await cancel(executionId)).toMatchObject({ changed: false, status: ExecutionStatus.COMPLETED });
  });

  test('that comes many times at once changes it once', async () => {
    const executionId = await start({ task: 'loop' });
    await expect.poll(stateOf(executionId)).toBe('running.attempting');
    const answers = await Promise.all(Array.from({ length: 20 }, () => cancel(executionId)));
    expect(answers.filter((answer) => answer.changed)).toHaveLength(1);
    await expectCancelled(executionId, 1);
  });
});
