/** What a node left unfinished goes on in the next one. A crash here is a supervisor that nobody tells anything. */
import { describe, expect, test } from 'vitest';
import { isTerminal } from '../../src/domain/execution.ts';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, noRetry, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { crash, type SupervisorBench, story, supervisorBench } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 2 };

/** Its log has no gap, its times do not run backwards, and its record agrees with it (I3, I4). */
async function expectWhole(bench: SupervisorBench, id: string): Promise<void> {
  const record = await bench.record(id);
  const log = await bench.log(id);
  expect(sequences(log)).toEqual(upTo(record.lastSequence));
  const times = log.map((event) => event.time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(log.filter((event) => event.kind === 'result')).toHaveLength(isTerminal(record.status) ? 1 : 0);
}

describe('after a crash', () => {
  test('waiting: it starts at its instant, however long the node was away', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, { startAfterMs: 500 });
    const after = crash(before, { downMs: 300 });
    expect(await after.supervisor.recover()).toEqual({ revived: 1, incompatible: 0 });
    await after.clock.advance(199);
    expect(after.runtime.calls).toHaveLength(0);
    await after.clock.advance(1);
    expect(after.runtime.calls).toHaveLength(1);
    after.runtime.call(0).complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({
      status: 'completed',
      attempt: 1,
      queueTimeMs: 500,
    });
    await expectWhole(after, executionId);
    await after.leavesNothing();
  });

  test('waiting: one whose start time has come meanwhile starts at once', async () => {
    const before = supervisorBench();
    await before.start({}, { startAfterMs: 500 });
    const after = crash(before, { downMs: 60_000 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });

  test('queued: the order of the queue is kept, and the queue limit counts them', async () => {
    const before = supervisorBench({ slots: 0 });
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push((await before.start()).executionId);
    const after = crash(before, { slots: 1, queueLimit: 3 });
    await after.supervisor.recover();
    expect(after.supervisor.load).toEqual({ live: 4, running: 1, pending: 3, slots: 1 });
    await expect(after.admit()).rejects.toMatchObject({ reason: 'QUEUE_FULL' });
    for (let n = 0; n < 4; n++) {
      after.runtime.call(n).complete();
      await settle();
    }
    expect(after.runtime.calls.map((call) => call.attempt.executionId)).toEqual(ids);
    for (const id of ids) await expectWhole(after, id);
    await after.leavesNothing();
  });

  test('running, and it may run again: another attempt does, and the lost one is no try', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    void before.runtime.call(0).write('stdout', 'first');
    await before.clock.advance(10);
    const after = crash(before, { downMs: 1000 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    void after.runtime.call(0).write('stdout', 'second');
    await after.clock.advance(10);
    after.runtime.call(0).complete();
    await settle();
    expect(after.runtime.call(0).attempt.number).toBe(2);
    expect(story(await after.log(executionId))).toEqual([
      '>pending.queued',
      'pending.queued>running.attempting',
      'stdout:first',
      'running.attempting>running.backingOff',
      'running.backingOff>running.attempting',
      'stdout:second',
      'result',
    ]);
    expect(await after.record(executionId)).toMatchObject({
      status: 'completed',
      attempt: 2,
      recoveries: 1,
      attemptSequence: 5,
      executionTimeMs: 1020,
    });
    await expectWhole(after, executionId);
    await after.leavesNothing();
  });

  test('running, and it may not: INTERRUPTED, and no other attempt', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({ runtime: 'process', retry });
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(1000);
    expect(after.process.calls).toHaveLength(0);
    expect(await after.record(executionId)).toMatchObject({
      status: 'failed',
      attempt: 1,
      outcome: { code: 'INTERRUPTED', message: expect.stringContaining('attempt 1 was lost') },
    });
    await expectWhole(after, executionId);
    await after.leavesNothing();
  });

  test('backing off: its retry is due at its instant, or at once where that has passed', async () => {
    for (const downMs of [150, 5000]) {
      const before = supervisorBench();
      const { executionId } = await before.start({ retry });
      before.runtime.call(0).fail('TRAP');
      await settle();
      const after = crash(before, { downMs });
      await after.supervisor.recover();
      const left = Math.max(0, 200 - downMs);
      if (left > 0) {
        await after.clock.advance(left - 1);
        expect(after.runtime.calls).toHaveLength(0);
      }
      await after.clock.advance(Math.min(1, left));
      expect(after.runtime.call(0).attempt.number).toBe(2);
      after.runtime.call(0).fail('TRAP');
      await settle();
      // The crash was no try either.
      expect(await after.record(executionId)).toMatchObject({ attempt: 2, outcome: { code: 'TRAP' } });
      await expectWhole(after, executionId);
      await after.leavesNothing();
    }
  });

  test('backing off, and its retry waited for a slot already: it waits again', async () => {
    const before = supervisorBench({ slots: 1 });
    const retried = await before.start({ retry });
    before.runtime.call(0).fail('TRAP');
    await before.start();
    await before.clock.advance(1000);
    const after = crash(before, { slots: 2 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    const numbers = after.runtime.calls.map(({ attempt }) => [attempt.executionId, attempt.number]);
    expect(numbers).toContainEqual([retried.executionId, 2]);
    for (const call of after.runtime.calls) call.complete();
    await after.leavesNothing();
  });

  test('being stopped for a cancel: nothing of the attempt is left, and it is cancelled', async () => {
    const before = supervisorBench();
    before.process.stopsAfterMs = 500;
    const { executionId } = await before.start({ runtime: 'process' });
    await before.supervisor.cancel(executionId, 'enough');
    const after = crash(before, { downMs: 60_000 });
    await after.supervisor.recover();
    expect(await after.record(executionId)).toMatchObject({
      status: 'cancelled',
      outcome: { message: 'cancelled: enough', termination: { rung: 'restart', tookMs: 60_000 } },
    });
    await expectWhole(after, executionId);
    await after.leavesNothing();
  });

  test('being stopped for a timeout that is retried: the retry is made', async () => {
    const before = supervisorBench();
    before.runtime.stopsAfterMs = 500;
    const timeouts = { totalMs: 60_000, attemptMs: 100 };
    const { executionId } = await before.start({ retry }, { timeouts });
    await before.clock.advance(110);
    expect((await before.record(executionId)).state).toBe('running.stopping');
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(200);
    after.runtime.call(0).complete();
    await settle();
    expect(await after.record(executionId)).toMatchObject({ status: 'completed', attempt: 2 });
    await after.leavesNothing();
  });

  test('held, suspended, or on its way there: it stays so, and goes on at a resume', async () => {
    const before = supervisorBench();
    before.runtime.stopsAfterMs = 500;
    const held = await before.start({}, { startAfterMs: 400 });
    const suspended = await before.start({ retry });
    before.runtime.call(0).fail('TRAP');
    const stopping = await before.start();
    for (const { executionId } of [held, suspended, stopping]) await before.supervisor.suspend(executionId);
    const after = crash(before, { downMs: 60_000 });
    await after.supervisor.recover();
    await after.clock.advance(60_000);
    const states = [held, suspended, stopping].map(async (it) => (await after.record(it.executionId)).state);
    expect(await Promise.all(states)).toEqual(['pending.held', 'running.suspended', 'running.suspended']);
    expect(after.supervisor.load).toMatchObject({ live: 3, running: 0, pending: 1 });
    for (const { executionId } of [held, suspended, stopping]) await after.supervisor.resume(executionId);
    await after.clock.advance(399);
    expect(after.runtime.calls.map((call) => call.attempt.executionId)).toEqual([
      suspended.executionId,
      stopping.executionId,
    ]);
    for (const call of after.runtime.calls) call.complete();
    await after.clock.advance(1);
    after.runtime.call(2).complete();
    await settle();
    for (const { executionId } of [held, suspended, stopping]) await expectWhole(after, executionId);
    await after.leavesNothing();
  });

  test('finished: it is as it was', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    before.runtime.call(0).complete();
    await settle();
    const record = await before.record(executionId);
    const after = crash(before);
    expect(await after.supervisor.recover()).toEqual({ revived: 0, incompatible: 0 });
    expect(await after.record(executionId)).toEqual(record);
    await after.leavesNothing();
  });

  test('an attempt is given the input and the arguments that it was invoked with', async () => {
    const before = supervisorBench({ slots: 1 });
    const small = { input: new Uint8Array([7]), args: ['-v'], environment: { A: '1' } };
    const large = { input: new Uint8Array(100_000).map((_, index) => index), parameters: { x: [1, null] } };
    const running = await before.start({}, { invocation: invocationWith(small) });
    const queued = await before.start({}, { invocation: invocationWith(large) });
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(0);
    const given = new Map(
      after.runtime.calls.map(({ attempt }) => [attempt.executionId, attempt.invocation]),
    );
    expect(given.get(running.executionId)).toEqual(invocationWith(small));
    expect(given.get(queued.executionId)).toEqual(invocationWith(large));
    for (const call of after.runtime.calls) call.complete();
    await after.leavesNothing();
  });

  test('an attempt runs the revision of its task that it was admitted with', async () => {
    const before = supervisorBench();
    const { record } = await before.start({ args: ['old'] });
    const task = taskWith({ args: ['new'] });
    await before.store.saveTask({ ...task, taskId: record.taskId, revision: 2 });
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(0);
    expect(after.runtime.call(0).attempt).toMatchObject({ revision: 1, task: { args: ['old'] } });
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });
});
