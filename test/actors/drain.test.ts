/** A node that stops takes nothing new, gives what runs its time, and leaves the rest to the next start. */
import { describe, expect, test } from 'vitest';
import type { LogEvent } from '../../src/domain/event.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { confirmMs } from '../../src/machines/ending.ts';
import { followLog } from '../../src/observers/stream.ts';
import { waitForOutcome } from '../../src/observers/sync.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { noUnhandledRejections, supervisorBench, withFiles } from './supervisor-bench.ts';

const draining = { kind: 'unavailable', reason: 'DRAINING' };
const dockerTask = taskWith({ runtime: 'docker' });

/** Follows a log to its end here, and says how that came. */
async function follow(cursor: LogCursor): Promise<{ events: LogEvent[]; error: unknown }> {
  const events: LogEvent[] = [];
  try {
    for await (const page of followLog(cursor, 1)) events.push(...page);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

describe('a node that stops', () => {
  test('takes no new work, and starts no attempt of what it has: a queue, a retry, a start time', async () => {
    const bench = supervisorBench({ slots: 1 });
    const retry = { ...noRetry, maxAttempts: 2 };
    await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    const queued = await bench.admit({ mode: 'async' });
    const waiting = await bench.admit({ mode: 'async', startAfterMs: 100 });
    bench.supervisor.stopAccepting();
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject(draining);
    bench.runtime.call(0).fail('TRAP');
    await bench.clock.advance(1000);
    expect(bench.runtime.calls).toHaveLength(1);
    for (const { executionId } of [queued, waiting]) {
      expect((await bench.record(executionId)).state).toBe('pending.queued');
    }
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('is quiet when what runs is over, and not before', async () => {
    const bench = supervisorBench();
    await bench.admit({ mode: 'async' });
    await bench.admit({ mode: 'async' });
    bench.supervisor.stopAccepting();
    const quiet = bench.supervisor.quiet();
    bench.runtime.call(0).complete();
    expect(await isSettled(quiet)).toBe(false);
    bench.runtime.call(1).complete();
    expect(await isSettled(quiet)).toBe(true);
    await bench.leavesNothing();
  });

  test('is quiet at once when nothing runs', async () => {
    const bench = supervisorBench();
    expect(await isSettled(bench.supervisor.quiet())).toBe(true);
    const held = await bench.admit({ mode: 'async', startAfterMs: 500 });
    await bench.supervisor.suspend(held.executionId);
    expect(await isSettled(bench.supervisor.quiet())).toBe(true);
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('is quiet when the last attempt could not be confirmed gone', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = Number.POSITIVE_INFINITY;
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ graceMs: 500 }) });
    await bench.supervisor.cancel(executionId, '');
    const quiet = bench.supervisor.quiet();
    await bench.clock.advance(499 + confirmMs);
    expect(await isSettled(quiet)).toBe(false);
    await bench.clock.advance(1);
    expect(await isSettled(quiet)).toBe(true);
    bench.runtime.call(0).stopped();
    await bench.leavesNothing();
  });

  test('is quiet when the last attempt has been paused', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', task: dockerTask });
    const quiet = bench.supervisor.quiet();
    await bench.supervisor.suspend(executionId);
    expect(await isSettled(quiet)).toBe(true);
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('is quiet when the attempt of a refused admission is gone', async () => {
    noUnhandledRejections();
    const bench = supervisorBench();
    bench.store.failNext(new Error('disk full'));
    bench.runtime.stopsAfterMs = 50;
    const { cursor } = await bench.supervisor.admit(requestWith({ mode: 'async' }));
    cursor.admitted().catch(() => {});
    await settle();
    const quiet = bench.supervisor.quiet();
    expect(await isSettled(quiet)).toBe(false);
    await bench.clock.advance(50);
    expect(await isSettled(quiet)).toBe(true);
    await bench.clock.advance(2000);
    await bench.leavesNothing();
  });

  test('what it has can still be joined, cancelled and watched', async () => {
    const bench = supervisorBench();
    const request = requestWith({ invocationId: 'key', payloadDigest: 'd' });
    await bench.supervisor.admit(request);
    await settle();
    bench.supervisor.stopAccepting();
    const { cursor, joined } = await bench.supervisor.admit(request);
    expect(joined).toBe(true);
    const outcome = waitForOutcome(cursor, undefined, bench.clock);
    await bench.supervisor.cancel(cursor.executionId, '');
    expect(await outcome).toMatchObject({ status: 'cancelled' });
    await bench.leavesNothing();
  });
});

describe('a node that leaves', () => {
  test('leaves what is not over in the store as it is: waiting, queued, running, backing off, held', async () => {
    const bench = supervisorBench({ slots: 1 });
    const retry = { ...noRetry, maxAttempts: 2 };
    const backingOff = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('TRAP');
    await settle();
    const waiting = await bench.admit({ mode: 'async', startAfterMs: 10_000 });
    const running = await bench.admit({ mode: 'async', task: withFiles() });
    const queued = await bench.admit({ mode: 'async' });
    const held = await bench.admit({ mode: 'async' });
    await bench.supervisor.suspend(held.executionId);
    const ids = [backingOff, waiting, running, queued, held].map(({ executionId }) => executionId);
    const before = await Promise.all(ids.map((id) => bench.record(id)));
    expect(before.map(({ state }) => state)).toEqual([
      'running.backingOff',
      'pending.waiting',
      'running.attempting',
      'pending.queued',
      'pending.held',
    ]);
    bench.supervisor.stopAccepting();
    await bench.supervisor.leave();
    bench.supervisor.close();
    bench.runtime.call(1).stopped();
    await bench.clock.advance(600_000);
    expect(await Promise.all(ids.map((id) => bench.record(id)))).toEqual(before);
    expect(bench.clock.timers).toBe(0);
  });

  test('has left when what happened until then is durable, output and outcomes with it', async () => {
    const bench = supervisorBench();
    const over = await bench.admit({ mode: 'async' });
    const running = await bench.admit({ mode: 'stream' });
    bench.watched.hold();
    bench.runtime.call(0).complete();
    void bench.runtime.call(1).write('stdout', 'kept');
    await bench.clock.advance(10);
    bench.supervisor.stopAccepting();
    const left = bench.supervisor.leave();
    expect(await isSettled(left)).toBe(false);
    bench.watched.release();
    await left;
    expect((await bench.record(over.executionId)).status).toBe('completed');
    const log = await bench.log(running.executionId);
    expect(log.at(-1)).toMatchObject({ kind: 'chunk' });
    expect(sequences(log)).toEqual(upTo(3));
    bench.supervisor.close();
  });

  test('tells each reader of what is not over where to go on, after all that it can have here', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'stream' });
    const following = [cursor, await bench.supervisor.attach(cursor.executionId)].map(follow);
    void bench.runtime.call(0).write('stdout', 'a');
    await bench.clock.advance(10);
    await bench.supervisor.leave();
    for (const { events, error } of await Promise.all(following)) {
      expect(sequences(events)).toEqual(upTo(3));
      expect(error).toMatchObject({ ...draining, metadata: { last_sequence: '3' } });
    }
    expect(cursor.left).toBe(true);
    bench.supervisor.close();
  });

  test('lets a sync call go with the record as it is', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit();
    const outcome = waitForOutcome(cursor, undefined, bench.clock);
    await bench.supervisor.leave();
    expect(await outcome).toMatchObject({ status: 'running', state: 'running.attempting' });
    bench.supervisor.close();
  });

  test('tells nobody that something was done which is not durable: a cancel, a suspend, a resume, a move', async () => {
    const bench = supervisorBench({ slots: 0 });
    const ids: string[] = [];
    for (let count = 0; count < 4; count++) ids.push((await bench.admit({ mode: 'async' })).executionId);
    const [cancelled, suspended, resumed, moved] = ids as [string, string, string, string];
    await bench.supervisor.suspend(resumed);
    const before = await Promise.all(ids.map((id) => bench.record(id)));
    bench.watched.hold();
    const asked = [
      bench.supervisor.cancel(cancelled, ''),
      bench.supervisor.suspend(suspended),
      bench.supervisor.resume(resumed),
      bench.supervisor.detach(moved),
    ];
    for (const answer of asked) expect(await isSettled(answer)).toBe(false);
    void bench.supervisor.leave();
    for (const answer of asked) await expect(answer).rejects.toMatchObject(draining);
    expect(await Promise.all(ids.map((id) => bench.record(id)))).toEqual(before);
    bench.watched.release();
    bench.supervisor.close();
  });

  test('a caller that goes away with it cancels nothing', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ cancelOnDisconnect: true, mode: 'async' });
    await bench.supervisor.leave();
    cursor.close('gone');
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    expect((await bench.record(cursor.executionId)).state).toBe('running.attempting');
    bench.supervisor.close();
  });

  test('lets go of an attempt that can be followed again, and of no other', async () => {
    const bench = supervisorBench({ slots: 4 });
    const followed = await bench.admit({ mode: 'async', task: dockerTask });
    await bench.admit({ mode: 'async', task: dockerTask });
    const once = taskWith({ runtime: 'docker', onInterrupt: 'fail' });
    await bench.admit({ mode: 'async', task: once });
    const [first, second, third] = [0, 1, 2].map((index) => bench.docker.call(index));
    await first?.bind();
    first?.takeInput();
    await second?.bind();
    third?.takeInput();
    await settle();
    expect((await bench.record(followed.executionId)).inputDelivered).toBe(1);
    await bench.supervisor.leave();
    expect([first, second, third].map((call) => call?.released)).toEqual([true, false, false]);
    bench.supervisor.close();
  });

  test('lets go of an attempt whose input it has only just been given, before the disk knows of it', async () => {
    const bench = supervisorBench();
    await bench.admit({ mode: 'async', task: dockerTask });
    const call = bench.docker.call(0);
    await call.bind();
    bench.watched.hold();
    call.takeInput();
    void bench.supervisor.leave();
    expect(call.released).toBe(true);
    bench.watched.release();
    bench.supervisor.close();
  });

  test('an attempt that may run only once does not begin as it leaves, where what starts it is not durable', async () => {
    const bench = supervisorBench();
    const task = taskWith({ onInterrupt: 'fail' });
    const { executionId } = await bench.admit({ mode: 'async', task, startAfterMs: 50 });
    bench.watched.hold();
    await bench.clock.advance(60);
    expect(bench.supervisor.load.running).toBe(1);
    bench.supervisor.stopAccepting();
    void bench.supervisor.leave();
    await settle();
    expect(bench.runtime.calls).toHaveLength(0);
    expect((await bench.record(executionId)).attempt).toBe(0);
    bench.watched.release();
    bench.supervisor.close();
    await settle();
    expect(bench.runtime.calls).toHaveLength(0);
  });
});
