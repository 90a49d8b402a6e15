/** What was held goes on, and what comes between. */
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { supervisorBench } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 2 };
const dockerTask = taskWith({ runtime: 'docker' });

describe('resume', () => {
  test('of one that is not held changes nothing', async () => {
    const bench = supervisorBench({ slots: 1 });
    const running = await bench.admit({ mode: 'async' });
    const queued = await bench.admit({ mode: 'async' });
    const waiting = await bench.admit({ mode: 'async', startAfterMs: 500 });
    for (const { executionId } of [running, queued, waiting]) {
      expect(await bench.supervisor.resume(executionId)).toMatchObject({ changed: false });
    }
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('of an attempt that its runtime cannot let go on is refused, and it stays suspended', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    await bench.supervisor.suspend(executionId);
    const refusal = new RequestError('unavailable', 'the engine is away', { reason: 'RUNTIME_UNAVAILABLE' });
    bench.docker.unpause = () => Promise.reject(refusal);
    await expect(bench.supervisor.resume(executionId)).rejects.toBe(refusal);
    expect((await bench.record(executionId)).state).toBe('running.suspended');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('as the attempt is still being stopped runs it anew when that is gone', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    await bench.supervisor.suspend(executionId);
    expect(await bench.supervisor.resume(executionId)).toMatchObject({ changed: true });
    await bench.clock.advance(40);
    expect(bench.runtime.call(1).attempt.number).toBe(2);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

describe('what comes between', () => {
  test('an attempt that completes as it is being paused has completed', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    const pausing = Promise.withResolvers<void>();
    bench.docker.pause = () => pausing.promise;
    const suspending = bench.supervisor.suspend(executionId);
    await settle();
    bench.docker.call(0).complete();
    await settle();
    pausing.resolve();
    expect(await suspending).toMatchObject({ record: { status: 'completed' } });
    await bench.leavesNothing();
  });

  test('a cancel as it is being paused wins, and the attempt does not stand still as it is stopped', async () => {
    const bench = supervisorBench();
    bench.docker.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    const pausing = Promise.withResolvers<void>();
    const call = bench.docker.call(0);
    bench.docker.pause = async () => {
      await pausing.promise;
      call.paused = true;
    };
    const suspending = bench.supervisor.suspend(executionId);
    await settle();
    await bench.supervisor.cancel(executionId, '');
    pausing.resolve();
    expect(await suspending).toMatchObject({ record: { state: 'running.stopping' } });
    expect(call.paused).toBe(false);
    await bench.clock.advance(40);
    expect((await bench.record(executionId)).status).toBe('cancelled');
    await bench.leavesNothing();
  });

  test('a cancel, and the total timeout, end what stands still', async () => {
    for (const how of ['cancelled', 'timedOut']) {
      const bench = supervisorBench();
      const { executionId } = await bench.admit({
        mode: 'async',
        task: dockerTask,
        timeouts: { totalMs: 1000 },
      });
      await bench.supervisor.suspend(executionId);
      if (how === 'cancelled') await bench.supervisor.cancel(executionId, '');
      else await bench.clock.advance(1000);
      await settle();
      expect(bench.docker.call(0).signal.aborted).toBe(true);
      expect((await bench.record(executionId)).status).toBe(how);
      await bench.leavesNothing();
    }
  });

  test('an attempt that is killed from outside as it stands still is not tried again before the resume', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({
      mode: 'async',
      task: taskWith({ ...dockerTask.definition, retry }),
    });
    await bench.supervisor.suspend(executionId);
    bench.docker.call(0).fail('INSTANCE_LOST');
    await bench.clock.advance(5000);
    expect((await bench.record(executionId)).state).toBe('running.suspended');
    expect(bench.docker.calls).toHaveLength(1);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(0);
    bench.docker.call(1).complete();
    await bench.leavesNothing();
  });
});
