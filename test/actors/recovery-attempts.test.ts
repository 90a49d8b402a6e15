/** What becomes of the attempts that ran when their node went away. */
import { describe, expect, test } from 'vitest';
import { crashBeside, inContainer } from './containers.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

describe('on_interrupt', () => {
  test.each([
    ['rerun', 'running', 2],
    ['fail', 'failed', 1],
    ['reattachOrRerun', 'running', 2],
    ['reattachOrFail', 'failed', 1],
  ] as const)(
    '%s, of an attempt that is gone: it is %s, attempt %i',
    async (onInterrupt, status, attempt) => {
      for (const runtime of ['wasm', 'docker', 'process'] as const) {
        const before = supervisorBench();
        const { executionId } = await before.start({ runtime, onInterrupt });
        const after = crash(before);
        await after.supervisor.recover();
        await after.clock.advance(0);
        expect(await after.record(executionId), runtime).toMatchObject({ status, attempt });
        await after.cancelAll();
        await after.leavesNothing();
      }
    },
  );

  test.each([
    ['wasm', 'running'],
    ['docker', 'running'],
    ['process', 'failed'],
  ] as const)('not said, of a lost %s attempt: it is %s', async (runtime, status) => {
    const before = supervisorBench();
    const { executionId } = await before.start({ runtime });
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(0);
    expect((await after.record(executionId)).status).toBe(status);
    await after.cancelAll();
    await after.leavesNothing();
  });

  test.each(['rerun', 'fail'] as const)(
    '%s: a container that is still there is ended, and then is lost',
    async (onInterrupt) => {
      const before = supervisorBench();
      const executionId = await inContainer(before, { onInterrupt });
      const after = crashBeside(before, executionId);
      after.docker.stopsAfterMs = 30;
      await after.supervisor.recover();
      expect(after.docker.call(0).signal.aborted).toBe(true);
      expect((await after.record(executionId)).state).toBe('running.attempting');
      await after.clock.advance(30);
      expect(await after.record(executionId)).toMatchObject(
        onInterrupt === 'fail' ? { outcome: { code: 'INTERRUPTED' } } : { attempt: 2, recoveries: 1 },
      );
      await after.cancelAll();
      await after.clock.advance(30);
      await after.leavesNothing();
    },
  );
});
