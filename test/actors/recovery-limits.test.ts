/** How often an execution survives the loss of its attempt, and what may begin only once. */
import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith, taskWith } from '../support/samples.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

describe('max_recoveries', () => {
  test.each([
    [undefined, 3],
    [1, 1],
    [0, 0],
  ])(
    '%s: an execution that takes its node down is run again %i times, then ends INTERRUPTED',
    async (maxRecoveries, allowed) => {
      let bench = supervisorBench();
      const definition = maxRecoveries === undefined ? {} : { maxRecoveries };
      const poison = await bench.start(definition);
      for (let crashes = 1; crashes <= allowed; crashes++) {
        bench = crash(bench);
        await bench.supervisor.recover();
        await bench.clock.advance(0);
        expect(await bench.record(poison.executionId)).toMatchObject({
          attempt: crashes + 1,
          recoveries: crashes,
        });
        expect(bench.runtime.calls).toHaveLength(1);
      }
      bench = crash(bench);
      await bench.supervisor.recover();
      await bench.clock.advance(1000);
      expect(bench.runtime.calls).toHaveLength(0);
      expect(await bench.record(poison.executionId)).toMatchObject({
        status: 'failed',
        attempt: allowed + 1,
        outcome: { code: 'INTERRUPTED', message: expect.stringContaining(`allowed are ${allowed}`) },
      });
      await bench.leavesNothing();
    },
  );

  test('a crash while it waits to run again is none of them', async () => {
    let bench = supervisorBench();
    const { executionId } = await bench.start({ maxRecoveries: 1 });
    for (let crashes = 0; crashes < 5; crashes++) {
      bench = crash(bench, { slots: 0 });
      await bench.supervisor.recover();
      await bench.clock.advance(10);
    }
    expect(await bench.record(executionId)).toMatchObject({ state: 'running.backingOff', recoveries: 1 });
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});

describe('an attempt that may run only once', () => {
  const once = taskWith({ runtime: 'process' });

  test.each(['fail', 'reattachOrFail'] as const)(
    '%s: does not begin before it is durable that it does',
    async (onInterrupt) => {
      const bench = supervisorBench();
      await bench.admit({
        mode: 'async',
        task: taskWith({ ...once.definition, onInterrupt }),
        startAfterMs: 50,
      });
      bench.watched.hold();
      await bench.clock.advance(1000);
      expect(bench.supervisor.load.running).toBe(1);
      expect(bench.process.calls).toHaveLength(0);
      bench.watched.release();
      await settle();
      expect(bench.process.calls).toHaveLength(1);
      bench.process.call(0).complete();
      await bench.leavesNothing();
    },
  );

  test('that never began runs after the crash, and not twice', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({ runtime: 'process' }, { startAfterMs: 50 });
    before.watched.hold();
    await before.clock.advance(100);
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(0);
    expect(before.process.calls.length + after.process.calls.length).toBe(1);
    after.process.call(0).complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({ status: 'completed', attempt: 1 });
    await after.leavesNothing();
  });

  test('is cancelled as it waits for that, without ever having begun', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: once, startAfterMs: 50 });
    bench.watched.hold();
    await bench.clock.advance(100);
    const cancel = bench.supervisor.cancel(executionId, '');
    expect(await isSettled(cancel)).toBe(false);
    bench.watched.release();
    await cancel;
    await settle();
    expect(bench.process.calls).toHaveLength(0);
    expect(await bench.record(executionId)).toMatchObject({ status: 'cancelled', attempt: 1 });
    await bench.leavesNothing();
  });

  test('with an input that waits in the store begins when both are there', async () => {
    const bench = supervisorBench();
    const input = new Uint8Array(10_000).fill(1);
    await bench.supervisor.admit(
      requestWith({ mode: 'async', task: once, startAfterMs: 50, invocation: invocationWith({ input }) }),
    );
    await bench.clock.advance(100);
    expect(bench.process.call(0).attempt.invocation.input).toEqual(input);
    bench.process.call(0).complete();
    await bench.leavesNothing();
  });

  test('one that may run again begins at once', async () => {
    const bench = supervisorBench();
    await bench.admit({ mode: 'async', startAfterMs: 50 });
    bench.watched.hold();
    await bench.clock.advance(100);
    expect(bench.runtime.calls).toHaveLength(1);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });
});
