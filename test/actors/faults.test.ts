/** A store that fails and comes back. */

import { describe, expect, test } from 'vitest';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { noUnhandledRejections, story, supervisorBench } from './supervisor-bench.ts';

const fault = new Error('disk full');
const unavailable = { kind: 'unavailable', reason: 'STORE_UNAVAILABLE' };

describe('a store that fails', () => {
  test('new work is refused, what was accepted is kept and finished when the store works again', async () => {
    const bench = supervisorBench({ slots: 1 });
    const running = await bench.admit({ mode: 'async' });
    const queued = await bench.admit({ mode: 'async' });
    bench.store.setFault(fault);
    void bench.runtime.call(0).write('stdout', 'kept');
    bench.runtime.call(0).complete();
    await bench.clock.advance(1000);
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject({
      ...unavailable,
      retryAfterMs: expect.any(Number),
    });
    const outcome = waitForOutcome(running, undefined, bench.clock);
    expect(await isSettled(outcome)).toBe(false);
    expect(bench.supervisor.load.live).toBe(2);
    bench.store.setFault(undefined);
    await bench.clock.advance(1000);
    expect(await outcome).toMatchObject({ status: 'completed' });
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await bench.clock.advance(1000);
    for (const { executionId } of [running, queued]) {
      const events = await bench.log(executionId);
      expect(sequences(events)).toEqual(upTo(events.length));
      expect((await bench.record(executionId)).status).toBe('completed');
    }
    expect(story(await bench.log(running.executionId))).toContain('stdout:kept');
    expect(bench.health.at(0)).toContain('disk full');
    expect(bench.health.at(-1)).toBeUndefined();
    const next = await bench.admit();
    bench.runtime.calls.at(-1)?.complete();
    await settle();
    expect((await bench.record(next.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('an attempt that ran ahead of its admission is aborted when that fails, and who waits hears why', async () => {
    noUnhandledRejections();
    const bench = supervisorBench();
    bench.store.setFault(fault);
    const { cursor } = await bench.supervisor.admit(requestWith({ mode: 'async' }));
    const admitted = cursor.admitted();
    admitted.catch(() => {});
    await settle();
    await expect(admitted).rejects.toMatchObject(unavailable);
    await expect(waitForOutcome(cursor, undefined, bench.clock)).rejects.toMatchObject(unavailable);
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
    bench.store.setFault(undefined);
    expect(await bench.store.execution(cursor.executionId)).toBeUndefined();
  });

  test('a node whose store failed once, with nothing under way, takes work again when the store works', async () => {
    const bench = supervisorBench();
    bench.store.failNext(fault);
    const first = await bench.admit({ mode: 'async' });
    first.admitted().catch(() => {});
    await bench.clock.advance(5000);
    const second = await bench.admit({ mode: 'async' });
    expect(second.record.status).toBe('running');
    bench.runtime.calls.at(-1)?.complete();
    await bench.leavesNothing();
  });

  test('nothing is moved away while it fails, and what runs goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async' });
    const last = await bench.admit({ mode: 'async' });
    bench.store.setFault(fault);
    bench.runtime.call(1).complete();
    await bench.clock.advance(1000);
    await expect(bench.supervisor.detach(cursor.executionId)).rejects.toMatchObject(unavailable);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.store.setFault(undefined);
    await bench.clock.advance(1000);
    bench.runtime.call(0).complete();
    await settle();
    for (const { executionId } of [cursor, last])
      expect((await bench.record(executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('nothing new is dispatched while it fails', async () => {
    const bench = supervisorBench({ slots: 2 });
    const waiting = await bench.admit({ mode: 'async', startAfterMs: 500 });
    await bench.admit({ mode: 'async' });
    bench.store.setFault(fault);
    bench.runtime.call(0).complete();
    await bench.clock.advance(1000);
    expect(bench.runtime.calls).toHaveLength(1);
    bench.store.setFault(undefined);
    await bench.clock.advance(1000);
    expect(bench.runtime.calls).toHaveLength(2);
    bench.runtime.call(1).complete();
    await settle();
    expect((await bench.record(waiting.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('an accepted execution whose input waits in the store is not lost to a store that cannot read it just now', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async' });
    const input = new Uint8Array(10_000).fill(3);
    const queued = await bench.admit({ mode: 'async', invocation: invocationWith({ input }) });
    bench.store.setFault(fault);
    bench.runtime.call(0).complete();
    await bench.clock.advance(1000);
    bench.store.setFault(undefined);
    await bench.clock.advance(5000);
    bench.runtime.calls.at(1)?.complete();
    await settle();
    expect(await bench.record(queued.executionId)).toMatchObject({ status: 'completed' });
    expect(bench.runtime.call(1).attempt.invocation.input).toEqual(input);
    await bench.leavesNothing();
  });

  test('an attempt that is aborted because its admission failed keeps its slot until it is gone', async () => {
    const bench = supervisorBench({ slots: 1 });
    const accepted = await bench.admit({ mode: 'async', startAfterMs: 100 });
    bench.store.setFault(fault);
    bench.runtime.stopsAfterMs = 5000;
    const refused = await bench.admit({ mode: 'async' });
    await expect(refused.admitted()).rejects.toMatchObject(unavailable);
    await bench.clock.advance(200);
    bench.store.setFault(undefined);
    await bench.clock.advance(2000);
    expect(bench.runtime.running).toBe(1);
    await bench.clock.advance(5000);
    bench.runtime.call(1).complete();
    await settle();
    expect((await bench.record(accepted.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('an input that cannot be read for a runtime that is not there brings nothing down', async () => {
    noUnhandledRejections();
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async' });
    const input = new Uint8Array(10_000);
    bench.runtimes.delete('docker');
    const task = taskWith({ runtime: 'docker' });
    const queued = await bench.admit({ mode: 'async', task, invocation: invocationWith({ input }) });
    bench.store.setFault(fault);
    bench.runtime.call(0).complete();
    await bench.clock.advance(100);
    bench.store.setFault(undefined);
    await bench.clock.advance(5000);
    expect((await bench.record(queued.executionId)).status).toBe('failed');
    await bench.leavesNothing();
  });

  test('deadlines go on counting while it fails', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 500 } });
    bench.store.setFault(fault);
    await bench.clock.advance(600);
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    bench.store.setFault(undefined);
    await bench.clock.advance(2000);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      outcome: { code: 'TOTAL_TIMEOUT' },
      executionTimeMs: 500,
    });
    await bench.leavesNothing();
  });
});
