import { describe, expect, test } from 'vitest';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { story, supervisorBench, withFiles } from './supervisor-bench.ts';

const twoAttempts = { ...noRetry, maxAttempts: 2 };

describe('cancel', () => {
  test('waiting for its start time: CANCELLED at once, attempt 0, nothing ever runs', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 500 });
    const { changed, record } = await bench.supervisor.cancel(executionId, 'no need');
    expect(changed).toBe(true);
    expect(record).toMatchObject({
      status: 'cancelled',
      attempt: 0,
      outcome: { code: 'CANCELLED', message: 'cancelled: no need' },
    });
    expect(await bench.record(executionId)).toEqual(record);
    await bench.clock.advance(1000);
    expect(bench.runtime.calls).toHaveLength(0);
    await bench.leavesNothing();
  });

  test('queued: CANCELLED at once, and its place goes to the next', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const { executionId } = await bench.admit({ mode: 'async' });
    const next = await bench.admit({ mode: 'async' });
    expect(await bench.supervisor.cancel(executionId, '')).toMatchObject({
      changed: true,
      record: { status: 'cancelled', attempt: 0 },
    });
    bench.runtime.call(0).complete();
    await settle();
    expect(bench.runtime.call(1).attempt.executionId).toBe(next.executionId);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('queued: its place is free at once, before its end is durable', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const { executionId } = await bench.admit({ mode: 'async' });
    const next = await bench.admit({ mode: 'async' });
    bench.watched.hold();
    const cancel = bench.supervisor.cancel(executionId, '');
    await settle();
    bench.runtime.call(0).complete();
    await settle();
    expect(await isSettled(cancel)).toBe(false);
    expect(bench.runtime.call(1).attempt.executionId).toBe(next.executionId);
    bench.runtime.call(1).complete();
    bench.watched.release();
    expect(await cancel).toMatchObject({ changed: true });
    await bench.leavesNothing();
  });

  test('running: it answers RUNNING while the attempt is being stopped, and CANCELLED comes when that is gone', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const cursor = await bench.admit({ mode: 'async' });
    const { changed, record } = await bench.supervisor.cancel(cursor.executionId, '');
    expect(changed).toBe(true);
    expect(record).toMatchObject({ status: 'running', state: 'running.stopping' });
    expect(await bench.record(cursor.executionId)).toMatchObject({ state: 'running.stopping' });
    await bench.clock.advance(40);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'cancelled',
      outcome: { termination: { rung: 'terminate', tookMs: 40 } },
    });
    await bench.leavesNothing();
  });

  test('running, and already being stopped: nothing changes, and it answers all the same', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    await bench.supervisor.cancel(executionId, 'first');
    expect(await bench.supervisor.cancel(executionId, 'second')).toMatchObject({
      changed: false,
      record: { state: 'running.stopping' },
    });
    await bench.clock.advance(40);
    expect(await bench.record(executionId)).toMatchObject({ outcome: { message: 'cancelled: first' } });
    await bench.leavesNothing();
  });

  test('backing off, before and after its retry asked for a slot: CANCELLED at once', async () => {
    for (const wait of [100, 300]) {
      const bench = supervisorBench({ slots: 1 });
      const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ retry: twoAttempts }) });
      await bench.admit({ mode: 'async' });
      bench.runtime.call(0).fail('TRAP');
      await bench.clock.advance(wait);
      expect(await bench.supervisor.cancel(executionId, '')).toMatchObject({
        changed: true,
        record: { status: 'cancelled', attempt: 1 },
      });
      bench.runtime.call(1).complete();
      await bench.clock.advance(1000);
      expect(bench.runtime.calls).toHaveLength(2);
      await bench.leavesNothing();
    }
  });

  test('while it is stopped for a timeout that would be retried: there is no retry, and the cancel is durable when it answers', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({
      mode: 'async',
      task: taskWith({ retry: twoAttempts }),
      timeouts: { totalMs: 60_000, attemptMs: 100 },
    });
    await bench.clock.advance(110);
    expect((await bench.record(executionId)).state).toBe('running.stopping');
    expect(await bench.supervisor.cancel(executionId, 'stop it')).toMatchObject({ changed: true });
    // It has to survive a restart from here on, so something of it must be in the log.
    expect(JSON.stringify(await bench.log(executionId))).toContain('CANCELLED');
    await bench.clock.advance(40);
    expect(await bench.record(executionId)).toMatchObject({ status: 'cancelled', attempt: 1 });
    await bench.leavesNothing();
  });

  test('before the admission is durable: it waits for that, then for its own', async () => {
    const bench = supervisorBench();
    bench.watched.hold();
    const { cursor } = await bench.supervisor.admit(requestWith({ mode: 'async', task: withFiles() }));
    await settle();
    const cancel = bench.supervisor.cancel(cursor.executionId, '');
    expect(await isSettled(cancel)).toBe(false);
    bench.watched.release();
    const { changed, record } = await cancel;
    expect(await bench.record(cursor.executionId)).toEqual(record);
    expect(changed).toBe(true);
    await bench.leavesNothing();
  });

  test('answers only when the request is durable', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 40;
    const { executionId } = await bench.admit({ mode: 'async' });
    bench.watched.hold();
    const cancel = bench.supervisor.cancel(executionId, '');
    await bench.clock.advance(20);
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect(await isSettled(cancel)).toBe(false);
    bench.watched.release();
    expect(await cancel).toMatchObject({ changed: true });
    await bench.clock.advance(40);
    await bench.leavesNothing();
  });

  test('finished: nothing changes, and the status is the final one', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit();
    bench.runtime.call(0).complete();
    await settle();
    expect(await bench.supervisor.cancel(executionId, '')).toMatchObject({
      changed: false,
      record: { status: 'completed' },
    });
    expect(await bench.log(executionId)).toHaveLength(3);
    await bench.leavesNothing();
  });

  test('finished, but its outcome not durable yet: nothing changes, and it waits for the outcome', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async' });
    bench.watched.hold();
    bench.runtime.call(0).complete();
    await settle();
    const cancel = bench.supervisor.cancel(executionId, '');
    expect(await isSettled(cancel)).toBe(false);
    bench.watched.release();
    expect(await cancel).toMatchObject({ changed: false, record: { status: 'completed' } });
    await bench.leavesNothing();
  });

  test('unknown: NOT_FOUND, and so is attaching to it', async () => {
    const bench = supervisorBench();
    const error = { kind: 'not_found', reason: 'EXECUTION_NOT_FOUND' };
    await expect(bench.supervisor.cancel('exec_none', '')).rejects.toMatchObject(error);
    await expect(bench.supervisor.attach('exec_none')).rejects.toMatchObject(error);
    await bench.leavesNothing();
  });
});

describe('cancel_on_disconnect', () => {
  test('the creator goes and nobody else watches: it is cancelled', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ cancelOnDisconnect: true });
    cursor.close('gone');
    await bench.clock.advance(20);
    expect(await bench.record(cursor.executionId)).toMatchObject({ status: 'cancelled' });
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    await bench.leavesNothing();
  });

  test('without it a creator that goes stops nothing', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit();
    cursor.close('gone');
    await bench.clock.advance(20);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('the creator goes while another observer is attached: it goes on, also when that one leaves', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ cancelOnDisconnect: true, mode: 'async' });
    const other = await bench.supervisor.attach(cursor.executionId);
    cursor.close('gone');
    await bench.clock.advance(20);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    other.close('gone');
    await bench.clock.advance(20);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('another observer goes: it goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ cancelOnDisconnect: true, mode: 'async' });
    (await bench.supervisor.attach(cursor.executionId)).close('gone');
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('the creator got what it came for: it goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ cancelOnDisconnect: true });
    const waiting = waitForOutcome(cursor, 50, bench.clock);
    await bench.clock.advance(50);
    expect(await waiting).toMatchObject({ status: 'running' });
    cursor.close('done');
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('a joiner that goes stops nothing, whatever it asked for', async () => {
    const bench = supervisorBench();
    const request = requestWith({ invocationId: 'key', payloadDigest: 'd', cancelOnDisconnect: true });
    const first = await bench.supervisor.admit(request);
    const second = await bench.supervisor.admit(request);
    first.cursor.close('done');
    second.cursor.close('gone');
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });

  test('the creator goes while it is queued: it is cancelled without an attempt', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const cursor = await bench.admit({ cancelOnDisconnect: true });
    cursor.close('gone');
    await bench.clock.advance(20);
    expect(story(await bench.log(cursor.executionId))).toEqual(['>pending.queued', 'result']);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });
});
