/** Executions that go to another node, or are forgotten. */
import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { story, supervisorBench } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 2 };
const refusal = { kind: 'failed_precondition', reason: 'STATE_NOT_ALLOWED' };
const unknown = { kind: 'not_found', reason: 'EXECUTION_NOT_FOUND' };
const moved = { status: 'failed', outcome: { code: 'MOVED' } };

describe('detach', () => {
  test('of one that does not run ends it MOVED at once: waiting, queued, backing off, held, suspended', async () => {
    const bench = supervisorBench({ slots: 1 });
    const backingOff = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('TRAP');
    const suspended = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(1).fail('TRAP');
    await settle();
    await bench.supervisor.suspend(suspended.executionId);
    const running = await bench.admit({ mode: 'async' });
    const waiting = await bench.admit({ mode: 'async', startAfterMs: 500 });
    const queued = await bench.admit({ mode: 'async' });
    const held = await bench.admit({ mode: 'async' });
    await bench.supervisor.suspend(held.executionId);
    for (const { executionId } of [backingOff, suspended, waiting, queued, held]) {
      const record = await bench.supervisor.detach(executionId);
      expect(record).toMatchObject(moved);
      expect(await bench.record(executionId)).toEqual(record);
    }
    await bench.clock.advance(1000);
    expect(bench.runtime.calls).toHaveLength(3);
    await bench.supervisor.cancel(running.executionId, '');
    await bench.leavesNothing();
  });

  test('of one that runs stops the attempt first, and its log says from where it goes on elsewhere', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    const detaching = bench.supervisor.detach(executionId);
    expect(await isSettled(detaching)).toBe(false);
    await bench.clock.advance(40);
    expect(await detaching).toMatchObject(moved);
    const log = await bench.log(executionId);
    expect(story(log).slice(1)).toEqual([
      'pending.queued>running.attempting',
      'running.attempting>running.stopping',
      'result',
    ]);
    expect(log.findIndex((event) => event.kind === 'transition' && event.reasonCode === 'MOVED')).toBe(2);
    await bench.leavesNothing();
  });

  test('of one that stands still does the same', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ runtime: 'docker' }) });
    await bench.supervisor.suspend(executionId);
    expect(await bench.supervisor.detach(executionId)).toMatchObject(moved);
    expect(bench.docker.call(0).signal.aborted).toBe(true);
    await bench.leavesNothing();
  });

  test.each(['fail', 'reattachOrFail'] as const)(
    '%s: of an attempt that may not run again is refused, also as it stands still',
    async (onInterrupt) => {
      const bench = supervisorBench();
      const task = taskWith({ runtime: 'docker', onInterrupt });
      const { executionId } = await bench.admit({ mode: 'async', task });
      await expect(bench.supervisor.detach(executionId)).rejects.toMatchObject(refusal);
      await bench.supervisor.suspend(executionId);
      await expect(bench.supervisor.detach(executionId)).rejects.toMatchObject(refusal);
      expect(bench.docker.call(0).signal.aborted).toBe(false);
      await bench.cancelAll();
      await bench.leavesNothing();
    },
  );

  test('of such a task before its attempt has begun is not', async () => {
    const bench = supervisorBench({ slots: 0 });
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ runtime: 'process' }) });
    expect(await bench.supervisor.detach(executionId)).toMatchObject(moved);
    await bench.leavesNothing();
  });

  test('of one that ends otherwise meanwhile is refused', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    await bench.supervisor.cancel(executionId, '');
    const detaching = bench.supervisor.detach(executionId);
    detaching.catch(() => {});
    await bench.clock.advance(40);
    await expect(detaching).rejects.toMatchObject({ ...refusal, metadata: { state: 'cancelled' } });
    await bench.leavesNothing();
  });

  test('of a finished one is refused, and of an unknown one NOT_FOUND', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit();
    bench.runtime.call(0).complete();
    await settle();
    await expect(bench.supervisor.detach(executionId)).rejects.toMatchObject(refusal);
    await expect(bench.supervisor.detach('exec_none')).rejects.toMatchObject(unknown);
    await bench.leavesNothing();
  });
});

describe('delete', () => {
  test('of a finished one forgets its record and its log, and frees its key', async () => {
    const bench = supervisorBench();
    const request = { invocationId: 'key', payloadDigest: 'd' };
    const { executionId } = await bench.admit(request);
    bench.runtime.call(0).complete();
    await settle();
    await bench.supervisor.delete(executionId);
    expect(bench.deleted).toEqual([executionId]);
    await expect(bench.supervisor.attach(executionId)).rejects.toMatchObject(unknown);
    await expect(bench.supervisor.delete(executionId)).rejects.toMatchObject(unknown);
    const { cursor, joined } = await bench.supervisor.admit(requestWith(request));
    expect(joined).toBe(false);
    expect(cursor.executionId).not.toBe(executionId);
    await settle();
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('of one that has not ended is refused, in any state', async () => {
    const bench = supervisorBench({ slots: 1 });
    const running = await bench.admit({ mode: 'async' });
    const queued = await bench.admit({ mode: 'async' });
    const held = await bench.admit({ mode: 'async', startAfterMs: 500 });
    await bench.supervisor.suspend(held.executionId);
    for (const { executionId } of [running, queued, held]) {
      await expect(bench.supervisor.delete(executionId)).rejects.toMatchObject(refusal);
      expect(await bench.store.execution(executionId)).toBeDefined();
    }
    expect(bench.deleted).toEqual([]);
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('of one whose end is not durable yet is refused', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async' });
    bench.watched.hold();
    bench.runtime.call(0).complete();
    await settle();
    await expect(bench.supervisor.delete(executionId)).rejects.toMatchObject(refusal);
    bench.watched.release();
    await settle();
    await bench.supervisor.delete(executionId);
    await bench.leavesNothing();
  });
});
