import { describe, expect, test } from 'vitest';
import { ErrorCode, ErrorOrigin, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../../src/server/gen/spearlet/task_pb.js';
import { expectWholeLog, statesOf } from './grammar.ts';
import { log, occupy, ping, server, start, text, withMeasuredServer } from './isolation.ts';
import { processesOf } from './measured.ts';

withMeasuredServer();

describe('an endless loop', () => {
  test.each([
    ['total', ErrorCode.TOTAL_TIMEOUT, 'total timeout of 5000 ms'],
    ['attempt', ErrorCode.ATTEMPT_TIMEOUT, 'attempt timeout of 5000 ms'],
  ] as const)(
    'ends at its %s timeout, its guest host is gone, and other calls go on',
    async (kind, code, says) => {
      await ping();
      const before = await processesOf(server);
      const executionId = await start({
        task: 'loop',
        timeouts: { [kind]: { seconds: 5n } },
      });
      const busy = async () => {
        const now = await processesOf(server);
        return [...now].find(([id, ticks]) => ticks - (before.get(id) ?? 0) > 15);
      };
      await expect.poll(busy, { interval: 20 }).toBeDefined();
      const [host = ''] = (await busy()) ?? [];
      for (let call = 0; call < 20; call++) await ping();
      const { result } = await server.functions.waitExecution({ executionId });
      expect(result).toMatchObject({
        status: ExecutionStatus.TIMED_OUT,
        state: 'timedOut',
        errorCode: code,
        errorOrigin: ErrorOrigin.POLICY,
        errorMessage: expect.stringContaining(says),
        termination: { rung: 'terminate' },
        isCompleted: true,
      });
      expect(text(result?.output)).toBe('looping\n');
      await expect.poll(async () => [...(await processesOf(server)).keys()]).not.toContain(host);
      const events = await log(executionId);
      expectWholeLog(events);
      expect(statesOf(events)).toEqual(['pending.queued', 'running.attempting', 'running.stopping']);
      expect(events.at(-2)?.event.value).toMatchObject({
        to: 'running.stopping',
        reasonCode: ErrorCode[code],
      });
      await ping();
    },
  );

  test('in every slot still lets deadlines, cancels and reads through', async () => {
    const release = await occupy();
    const queued = await server.functions.invokeFunction({
      task: 'typed',
      functionName: 'ping',
      timeouts: { queue: { nanos: 200_000_000 } },
    });
    expect(queued.result).toMatchObject({
      status: ExecutionStatus.TIMED_OUT,
      errorCode: ErrorCode.QUEUE_TIMEOUT,
      errorMessage: expect.stringContaining('200 ms'),
      attempt: 0,
    });
    await release();
    await ping();
  });

  test('inside a typed function of a reused instance ends alone', async () => {
    await server.register('reused', 'typed/typed.wasm', { instancePolicy: InstancePolicy.REUSED });
    const spinning = await start({
      task: 'reused',
      functionName: 'spin',
      timeouts: { total: { seconds: 1n } },
    });
    const counts = await Promise.all(
      Array.from({ length: 50 }, () =>
        server.functions.invokeFunction({ task: 'reused', functionName: 'count' }),
      ),
    );
    for (const { result } of counts) expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    const { result } = await server.functions.waitExecution({ executionId: spinning });
    expect(result?.errorCode).toBe(ErrorCode.TOTAL_TIMEOUT);
  });
});
