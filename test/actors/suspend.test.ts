/** Executions are held. */
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { crash, story, supervisorBench, withFiles } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 2 };
const dockerTask = taskWith({ runtime: 'docker' });
const processTask = taskWith({ runtime: 'process' });

describe('suspend', () => {
  test('waiting: it is held, does not start at its time, and waits for what was left when it goes on', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 500 });
    await bench.clock.advance(100);
    const { changed, record } = await bench.supervisor.suspend(executionId);
    expect(changed).toBe(true);
    expect(record).toMatchObject({ status: 'pending', state: 'pending.held' });
    expect(await bench.record(executionId)).toEqual(record);
    await bench.clock.advance(5000);
    expect(bench.runtime.calls).toHaveLength(0);
    const resumed = await bench.supervisor.resume(executionId);
    expect(resumed).toMatchObject({ changed: true, record: { state: 'pending.waiting' } });
    expect(resumed.record.deadlines.startAt).toBe(bench.clock.now() + 400);
    await bench.clock.advance(400);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('queued: its place goes to the next, and it comes back to the end of the queue', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const held = await bench.admit({ mode: 'async' });
    const next = await bench.admit({ mode: 'async' });
    expect(await bench.supervisor.suspend(held.executionId)).toMatchObject({
      record: { state: 'pending.held' },
    });
    bench.runtime.call(0).complete();
    await settle();
    expect(bench.runtime.call(1).attempt.executionId).toBe(next.executionId);
    await bench.supervisor.resume(held.executionId);
    bench.runtime.call(1).complete();
    await settle();
    expect(bench.runtime.call(2).attempt.executionId).toBe(held.executionId);
    bench.runtime.call(2).complete();
    await bench.leavesNothing();
  });

  test('running, and it can be paused: the same attempt stands still, and its slot goes to the next', async () => {
    const bench = supervisorBench({ slots: 1 });
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    expect(await bench.supervisor.suspend(executionId)).toMatchObject({
      changed: true,
      record: { status: 'running', state: 'running.suspended', attempt: 1 },
    });
    expect(bench.docker.call(0).paused).toBe(true);
    await bench.admit({ mode: 'async' });
    expect(bench.runtime.calls).toHaveLength(1);
    expect(await bench.supervisor.resume(executionId)).toMatchObject({
      changed: true,
      record: { state: 'running.attempting', attempt: 1 },
    });
    expect(bench.docker.call(0).paused).toBe(false);
    // It was not made to wait for a slot.
    expect(bench.supervisor.load).toMatchObject({ running: 2, slots: 1 });
    bench.runtime.call(0).complete();
    bench.docker.call(0).complete();
    await settle();
    expect(await bench.record(executionId)).toMatchObject({ status: 'completed', attempt: 1 });
    await bench.leavesNothing();
  });

  test('running, and it can only be run again: the attempt is stopped, and a new one runs after the resume', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async', task: withFiles() });
    expect(await bench.supervisor.suspend(executionId)).toMatchObject({
      changed: true,
      record: { state: 'running.stopping' },
    });
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    await bench.clock.advance(40);
    expect(await bench.record(executionId)).toMatchObject({ state: 'running.suspended', attempt: 1 });
    await bench.clock.advance(5000);
    expect(bench.runtime.calls).toHaveLength(1);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(0);
    bench.runtime.call(1).complete();
    await settle();
    const record = await bench.record(executionId);
    expect(record).toMatchObject({ status: 'completed', attempt: 2 });
    expect(record.recoveries).toBeUndefined();
    expect(story(await bench.log(executionId)).slice(2)).toEqual([
      'running.attempting>running.stopping',
      'running.stopping>running.suspended',
      'running.suspended>running.backingOff',
      'running.backingOff>running.attempting',
      'result',
    ]);
    await bench.leavesNothing();
  });

  test('running, and it can be neither: refused, and the attempt goes on', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: processTask });
    await expect(bench.supervisor.suspend(executionId)).rejects.toMatchObject({
      kind: 'failed_precondition',
      reason: 'STATE_NOT_ALLOWED',
      metadata: { execution_id: executionId, state: 'running.attempting' },
      message: expect.stringContaining('on_interrupt'),
    });
    expect(bench.process.call(0).signal.aborted).toBe(false);
    expect(await bench.log(executionId)).toHaveLength(2);
    bench.process.call(0).complete();
    await bench.leavesNothing();
  });

  test('a pause that its runtime refuses is refused, and the attempt goes on', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    const refusal = new RequestError('unavailable', 'the engine is away', { reason: 'RUNTIME_UNAVAILABLE' });
    bench.docker.pause = () => Promise.reject(refusal);
    await expect(bench.supervisor.suspend(executionId)).rejects.toBe(refusal);
    expect((await bench.record(executionId)).state).toBe('running.attempting');
    bench.docker.call(0).complete();
    await bench.leavesNothing();
  });

  test('backing off: its retry is made when it goes on, at once', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('TRAP');
    await settle();
    expect(await bench.supervisor.suspend(executionId)).toMatchObject({
      record: { state: 'running.suspended' },
    });
    await bench.clock.advance(5000);
    expect(bench.runtime.calls).toHaveLength(1);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(0);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('held or suspended already, or on its way there: nothing changes', async () => {
    const bench = supervisorBench({ slots: 4 });
    bench.runtime.stopsAfterMs = 40;
    const held = await bench.admit({ mode: 'async', startAfterMs: 500 });
    const paused = await bench.admit({ mode: 'async', task: dockerTask });
    const stopping = await bench.admit({ mode: 'async' });
    for (const { executionId } of [held, paused, stopping]) {
      const first = await bench.supervisor.suspend(executionId);
      const last = first.record.lastSequence;
      expect(first.changed).toBe(true);
      expect(await bench.supervisor.suspend(executionId)).toMatchObject({
        changed: false,
        record: { lastSequence: last },
      });
    }
    await bench.cancelAll();
    await bench.clock.advance(40);
    await bench.leavesNothing();
  });

  test('being stopped for another reason: refused', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    await bench.supervisor.cancel(executionId, '');
    await expect(bench.supervisor.suspend(executionId)).rejects.toMatchObject({
      kind: 'failed_precondition',
      metadata: { state: 'running.stopping' },
    });
    await bench.clock.advance(40);
    await bench.leavesNothing();
  });

  test('finished: refused, as is a resume; unknown: NOT_FOUND', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit();
    bench.runtime.call(0).complete();
    await settle();
    const refusal = { kind: 'failed_precondition', reason: 'STATE_NOT_ALLOWED' };
    await expect(bench.supervisor.suspend(executionId)).rejects.toMatchObject(refusal);
    await expect(bench.supervisor.resume(executionId)).rejects.toMatchObject(refusal);
    const unknown = { kind: 'not_found', reason: 'EXECUTION_NOT_FOUND' };
    await expect(bench.supervisor.suspend('exec_none')).rejects.toMatchObject(unknown);
    await expect(bench.supervisor.resume('exec_none')).rejects.toMatchObject(unknown);
    await bench.leavesNothing();
  });

  test('answers only when it is durable, and a crash after that finds it held', async () => {
    const before = supervisorBench({ slots: 0 });
    const { executionId } = await before.start();
    before.watched.hold();
    const suspending = before.supervisor.suspend(executionId);
    expect(await isSettled(suspending)).toBe(false);
    before.watched.release();
    await suspending;
    const after = crash(before);
    await after.supervisor.recover();
    await after.clock.advance(1000);
    expect((await after.record(executionId)).state).toBe('pending.held');
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('before the admission is durable: it waits for that', async () => {
    const bench = supervisorBench({ slots: 0 });
    bench.watched.hold();
    const { cursor } = await bench.supervisor.admit(requestWith({ mode: 'async', task: withFiles() }));
    await settle();
    const suspending = bench.supervisor.suspend(cursor.executionId);
    expect(await isSettled(suspending)).toBe(false);
    bench.watched.release();
    expect(await suspending).toMatchObject({ changed: true, record: { state: 'pending.held' } });
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});
