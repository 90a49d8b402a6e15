/** Attempts that outlived their node are followed again. */
import { describe, expect, test } from 'vitest';
import { confirmMs } from '../../src/machines/ending.ts';
import { settle } from '../support/fake-clock.ts';
import { taskWith } from '../support/samples.ts';
import { crashBeside, docker, inContainer } from './containers.ts';
import { crash, story, supervisorBench } from './supervisor-bench.ts';

describe('a container that is followed again', () => {
  test('goes on as the attempt that it was, from the byte that the log has come to', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    const after = crashBeside(before, executionId, { downMs: 1000 });
    expect(await after.supervisor.recover()).toEqual({ revived: 1, incompatible: 0 });
    expect(after.docker.reattached).toMatchObject([
      { instanceId: `inst_${executionId}_1`, position: { stdout: 3, stderr: 0 } },
    ]);
    void after.docker.call(0).write('stdout', 'put');
    await after.clock.advance(10);
    after.docker.call(0).complete({ exitCode: 0 });
    await settle();
    expect(story(await after.log(executionId)).slice(1)).toEqual([
      'pending.queued>running.attempting',
      'stdout:out',
      'running.attempting>running.attempting',
      'stdout:put',
      'result',
    ]);
    const record = await after.record(executionId);
    expect(record).toMatchObject({ status: 'completed', attempt: 1, outputBytes: 6, executionTimeMs: 1020 });
    expect(record.recoveries).toBeUndefined();
    await after.leavesNothing();
  });

  test('counts output from its own attempt on, not from the one before', async () => {
    const before = supervisorBench();
    const retry = { ...taskWith().definition.retry, maxAttempts: 2, initialMs: 0 };
    const { executionId } = await before.start({ ...docker, retry });
    void before.docker.call(0).write('stdout', 'first attempt');
    await before.clock.advance(10);
    before.docker.call(0).fail('TRAP');
    await before.clock.advance(10);
    await before.docker.call(1).bind();
    before.docker.call(1).takeInput();
    void before.docker.call(1).write('stderr', 'second');
    await before.clock.advance(10);
    const after = crash(before);
    after.docker.survivors.add(`inst_${executionId}_2`);
    await after.supervisor.recover();
    expect(after.docker.reattached).toMatchObject([{ position: { stdout: 0, stderr: 6 } }]);
    after.docker.call(0).complete();
    await after.leavesNothing();
  });

  test('holds a slot, also beyond those that there are', async () => {
    const before = supervisorBench({ slots: 2 });
    const ids = [await inContainer(before), await inContainer(before)];
    const after = crash(before, { slots: 1 });
    for (const id of ids) after.docker.survivors.add(`inst_${id}_1`);
    await after.supervisor.recover();
    await after.start();
    expect(after.supervisor.load).toEqual({ live: 3, running: 2, pending: 1, slots: 1 });
    after.docker.call(0).complete();
    await settle();
    expect(after.runtime.calls).toHaveLength(0);
    after.docker.call(1).complete();
    await settle();
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });

  test('says in its log and in its explanation that it is followed again', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    const after = crashBeside(before, executionId, { downMs: 1000 });
    await after.supervisor.recover();
    await after.clock.advance(3000);
    expect((await after.log(executionId)).at(-1)).toMatchObject({
      kind: 'transition',
      from: 'running.attempting',
      to: 'running.attempting',
      eventType: 'reattached',
      contextPatch: '',
      attempt: 1,
    });
    const { summary, details } = await after.supervisor.explain(executionId);
    expect(summary).toMatch(/^Attempt 1 has been running for 4 s/);
    expect(details).toContain('it outlived a stop of the node, and has been followed again for 3 s');
    // Another crash, another event: the attempt is the same.
    const last = crashBeside(after, executionId);
    await last.supervisor.recover();
    await last.clock.advance(10);
    last.docker.call(0).complete();
    await settle();
    const told = await last.log(executionId);
    expect(
      told.filter((event) => event.kind === 'transition' && event.eventType === 'reattached'),
    ).toHaveLength(2);
    expect(await last.record(executionId)).toMatchObject({ status: 'completed', attempt: 1 });
    await last.leavesNothing();
  });

  test.each([
    ['gone', false],
    ['ended, as its input is not complete', true],
  ])('says nothing of the kind of one that is %s', async (_, there) => {
    const before = supervisorBench();
    const { executionId } = await before.start({ ...docker, onInterrupt: 'reattachOrFail' });
    await before.docker.call(0).bind();
    const after = there ? crashBeside(before, executionId) : crash(before);
    await after.supervisor.recover();
    await after.clock.advance(10);
    const told = await after.log(executionId);
    expect(told.some((event) => event.kind === 'transition' && event.eventType === 'reattached')).toBe(false);
    expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'INTERRUPTED' } });
    await after.leavesNothing();
  });

  test('its attempt timeout stands where it stood', async () => {
    const before = supervisorBench();
    const timeouts = { totalMs: 60_000, attemptMs: 1000 };
    const executionId = await inContainer(before, {}, { timeouts });
    const after = crashBeside(before, executionId, { downMs: 500 });
    await after.supervisor.recover();
    await after.clock.advance(489);
    expect(after.docker.call(0).signal.aborted).toBe(false);
    await after.clock.advance(1);
    expect(after.docker.call(0).signal.aborted).toBe(true);
    expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'ATTEMPT_TIMEOUT' } });
    await after.leavesNothing();
  });

  test('one that is gone after all is lost', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(0);
    expect(after.docker.reattached).toMatchObject([{ call: undefined }]);
    expect(await after.record(executionId)).toMatchObject({ attempt: 2, recoveries: 1 });
    await after.cancelAll();
    await after.leavesNothing();
  });

  test.each([
    ['reattachOrRerun', { status: 'running', attempt: 2, recoveries: 1 }],
    ['reattachOrFail', { status: 'failed', outcome: { code: 'INTERRUPTED' } }],
  ] as const)(
    'one whose output is not to be had to its end is lost, and %s decides',
    async (policy, record) => {
      const before = supervisorBench();
      const executionId = await inContainer(before, { onInterrupt: policy });
      const after = crashBeside(before, executionId);
      await after.supervisor.recover();
      after.docker.call(0).fail('INSTANCE_LOST', 'its log is full', { unfollowed: true });
      await after.clock.advance(0);
      expect(await after.record(executionId)).toMatchObject(record);
      await after.cancelAll();
      await after.leavesNothing();
    },
  );

  test('one that has not had all of its input is ended: what it has read cannot be known', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start(docker);
    await before.docker.call(0).bind();
    const after = crashBeside(before, executionId);
    await after.supervisor.recover();
    await after.clock.advance(0);
    expect(after.docker.call(0).signal.aborted).toBe(true);
    expect(await after.record(executionId)).toMatchObject({ attempt: 2, recoveries: 1 });
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('one that was being stopped is ended, with all of its grace again, and its cause is kept', async () => {
    for (const stopsAfterMs of [0, 900 + confirmMs, Number.POSITIVE_INFINITY]) {
      const before = supervisorBench();
      before.docker.stopsAfterMs = 500;
      const executionId = await inContainer(before);
      await before.supervisor.cancel(executionId, 'enough');
      const after = crashBeside(before, executionId, { downMs: 60_000 });
      after.docker.stopsAfterMs = stopsAfterMs;
      await after.supervisor.recover();
      await settle();
      expect(after.docker.call(0).signal.aborted).toBe(true);
      await after.clock.advance(1000 + confirmMs);
      expect(await after.record(executionId)).toMatchObject({
        outcome: Number.isFinite(stopsAfterMs)
          ? { message: 'cancelled: enough' }
          : { code: 'KILL_UNCONFIRMED' },
      });
      if (!after.docker.call(0).over) after.docker.call(0).stopped();
      await after.leavesNothing();
    }
  });

  test('one that stood still stands still, without a slot, and goes on at a resume', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    await before.supervisor.suspend(executionId);
    const after = crashBeside(before, executionId, { downMs: 1000 });
    await after.supervisor.recover();
    const call = after.docker.call(0);
    expect(call.paused).toBe(true);
    expect(after.supervisor.load).toMatchObject({ live: 1, running: 0 });
    expect(await after.supervisor.resume(executionId)).toMatchObject({
      record: { state: 'running.attempting' },
    });
    expect(call.paused).toBe(false);
    expect(after.supervisor.load.running).toBe(1);
    call.complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({ status: 'completed', attempt: 1 });
    await after.leavesNothing();
  });

  test('one that stood still and is gone leaves its execution suspended', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    await before.supervisor.suspend(executionId);
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(1000);
    expect(await after.record(executionId)).toMatchObject({ state: 'running.suspended', recoveries: 1 });
    await after.supervisor.resume(executionId);
    await after.clock.advance(0);
    expect(after.docker.call(0).attempt.number).toBe(2);
    after.docker.call(0).complete();
    await after.leavesNothing();
  });

  test('a cancel, also one that comes before it is found, ends it', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    const after = crashBeside(before, executionId);
    const recovering = after.supervisor.recover();
    await recovering;
    await after.supervisor.cancel(executionId, '');
    await settle();
    expect(after.docker.call(0).signal.aborted).toBe(true);
    expect(await after.record(executionId)).toMatchObject({ status: 'cancelled' });
    await after.leavesNothing();
  });

  test('one that its node let go of on purpose is the same', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before);
    before.supervisor.stopAccepting();
    await before.supervisor.leave();
    before.supervisor.close();
    expect(before.docker.call(0).released).toBe(true);
    const after = crashBeside(before, executionId);
    await after.supervisor.recover();
    after.docker.call(0).complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({ status: 'completed', attempt: 1 });
    await after.leavesNothing();
  });

  test('a runtime that breaks as it looks is our bug, and the attempt is lost', async () => {
    const before = supervisorBench();
    const executionId = await inContainer(before, { onInterrupt: 'reattachOrFail' });
    const after = crash(before);
    const cause = new Error('scripted');
    after.docker.reattach = () => Promise.reject(cause);
    await after.supervisor.recover();
    await settle();
    expect(after.bugs).toEqual([{ error: cause, executionId }]);
    expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'INTERRUPTED' } });
    await after.leavesNothing();
  });
});
