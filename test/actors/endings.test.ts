import { describe, expect, test } from 'vitest';
import { confirmMs } from '../../src/machines/ending.ts';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { story, supervisorBench } from './supervisor-bench.ts';

const short = ['>pending.queued', 'pending.queued>running.attempting'];
const retry = { ...noRetry, maxAttempts: 3 };

describe('timeouts', () => {
  test('queue: it ends TIMED_OUT without an attempt, and leaves its place', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 60_000, queueMs: 100 } });
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'timedOut',
      attempt: 0,
      queueTimeMs: 100,
      outcome: { code: 'QUEUE_TIMEOUT' },
    });
    expect(bench.supervisor.load).toMatchObject({ pending: 0 });
    bench.runtime.call(0).complete();
    await settle();
    expect(bench.runtime.calls).toHaveLength(1);
    await bench.leavesNothing();
  });

  test('attempt: the attempt is told to stop, and it ends TIMED_OUT when nothing of it is left', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 30;
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 60_000, attemptMs: 100 } });
    await bench.clock.advance(99);
    expect(bench.runtime.call(0).signal.aborted).toBe(false);
    await bench.clock.advance(1);
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect((await bench.record(cursor.executionId)).state).toBe('running.stopping');
    await bench.clock.advance(30);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'timedOut',
      outcome: { code: 'ATTEMPT_TIMEOUT', termination: { rung: 'terminate', tookMs: 30 } },
    });
    await bench.leavesNothing();
  });

  test('total: it counts from admission, the waiting included', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 300 } });
    await bench.clock.advance(200);
    bench.runtime.call(0).complete();
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 1,
      outcome: { code: 'TOTAL_TIMEOUT' },
    });
    await bench.leavesNothing();
  });

  test('output that comes while the attempt is being stopped is still in the log', async () => {
    const bench = supervisorBench();
    bench.runtime.stopsAfterMs = 30;
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 100 } });
    await bench.clock.advance(110);
    void bench.runtime.call(0).write('stderr', 'going');
    await bench.clock.advance(20);
    expect(story(await bench.log(cursor.executionId)).slice(2)).toEqual([
      'running.attempting>running.stopping',
      'stderr:going',
      'result',
    ]);
    await bench.leavesNothing();
  });

  test('an attempt that ignores its signal past the grace is KILL_UNCONFIRMED, and what it does later is nobody’s', async () => {
    const bench = supervisorBench({ slots: 1 });
    bench.runtime.stopsAfterMs = Number.POSITIVE_INFINITY;
    const cursor = await bench.admit({
      mode: 'async',
      timeouts: { totalMs: 100 },
      task: taskWith({ graceMs: 500 }),
    });
    await bench.clock.advance(599 + confirmMs);
    expect((await bench.record(cursor.executionId)).status).toBe('running');
    await bench.clock.advance(1);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'failed',
      outcome: { code: 'KILL_UNCONFIRMED' },
    });
    const last = (await bench.record(cursor.executionId)).lastSequence;
    expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0 });
    void bench.runtime.call(0).write('stdout', 'zombie');
    bench.runtime.call(0).complete();
    await bench.clock.advance(100);
    expect(await bench.log(cursor.executionId)).toHaveLength(last);
    await bench.leavesNothing();
  });

  test('a wall clock that is set ahead while an attempt runs does not ring its timeout', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 10_000 } });
    bench.clock.jump(3_600_000);
    await bench.clock.advance(100);
    bench.runtime.call(0).complete();
    await settle();
    expect(await bench.record(cursor.executionId)).toMatchObject({
      status: 'completed',
      executionTimeMs: 100,
    });
    await bench.leavesNothing();
  });

  test('a wall clock that is set ahead does not turn the timeout of an attempt into that of the whole', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', timeouts: { totalMs: 10_000, attemptMs: 100 } });
    bench.clock.jump(3_600_000);
    await bench.clock.advance(100);
    expect(await bench.record(cursor.executionId)).toMatchObject({ outcome: { code: 'ATTEMPT_TIMEOUT' } });
    await bench.leavesNothing();
  });
});

describe('output limits', () => {
  test('a flood ends OUTPUT_LIMIT exactly at the limit, and is told to stop', async () => {
    const bench = supervisorBench();
    const limits = { memory: 1, maxOutputBytes: 3 * 1024 * 1024 + 5, maxOutputEvents: 1000 };
    bench.runtime.script = async (call) => {
      await call.flood('stdout', Number.POSITIVE_INFINITY);
    };
    const cursor = await bench.admit({ mode: 'stream', task: taskWith({ limits }) });
    await bench.clock.advance(1000);
    const record = await bench.record(cursor.executionId);
    expect(record).toMatchObject({
      status: 'failed',
      outputBytes: limits.maxOutputBytes,
      outcome: { code: 'OUTPUT_LIMIT' },
    });
    const bytes = (await bench.log(cursor.executionId)).reduce(
      (sum, event) => sum + (event.kind === 'chunk' ? event.data.byteLength : 0),
      0,
    );
    expect(bytes).toBe(limits.maxOutputBytes);
    expect(record.droppedBytes).toBeGreaterThan(0);
    await bench.leavesNothing();
  });

  test('a guest that reaches its limit in its very first turn is stopped too', async () => {
    const bench = supervisorBench();
    bench.runtime.script = (call) => {
      void call.write('stdout', 'too much');
    };
    const task = taskWith({ limits: { memory: 1, maxOutputBytes: 3, maxOutputEvents: 10 } });
    const cursor = await bench.admit({ task });
    await settle();
    expect(bench.runtime.call(0).signal.aborted).toBe(true);
    expect(story(await bench.log(cursor.executionId))).toEqual([
      ...short,
      'stdout:too',
      'running.attempting>running.stopping',
      'result',
    ]);
    await bench.leavesNothing();
  });
});

describe('what breaks', () => {
  test('a runtime that rejects is our bug: the caller sees INTERNAL and nothing of the cause, and the node goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit();
    const cause = new Error('/etc/secret is broken');
    bench.runtime.call(0).crash(cause);
    await settle();
    const record = await bench.record(cursor.executionId);
    expect(record.outcome).toMatchObject({ status: 'failed', code: 'INTERNAL' });
    expect(JSON.stringify(record)).not.toContain('secret');
    expect(bench.bugs).toEqual([{ error: cause, executionId: cursor.executionId }]);
    const next = await bench.admit();
    bench.runtime.call(1).complete();
    await settle();
    expect((await bench.record(next.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('a runtime that throws before it returns a promise is the same', async () => {
    const bench = supervisorBench();
    bench.runtime.run = () => {
      throw new Error('at once');
    };
    const cursor = await bench.admit();
    expect((await bench.record(cursor.executionId)).outcome).toMatchObject({ code: 'INTERNAL' });
    await bench.leavesNothing();
  });

  test('a chart that throws ends its own execution INTERNAL, gives the slot back, and the node goes on', async () => {
    const bench = supervisorBench({ slots: 1 });
    const cursor = await bench.admit({ task: taskWith({ retry }) });
    // No such code: the rule of retries cannot look it up.
    bench.runtime.call(0).fail('NO_SUCH_CODE' as never);
    await settle();
    expect((await bench.record(cursor.executionId)).outcome).toMatchObject({ code: 'INTERNAL' });
    expect(bench.bugs).toHaveLength(1);
    await bench.admit();
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('a guest that waits for its output to be durable is held back, and goes on', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'stream' });
    bench.watched.hold();
    const flood = bench.runtime.call(0).flood('stdout', 5 * 1024 * 1024);
    await bench.clock.advance(1000);
    expect(await isSettled(flood)).toBe(false);
    const held = await bench.record(cursor.executionId);
    expect(held.outputBytes).toBe(0);
    bench.watched.release();
    expect(await flood).toBe(5 * 1024 * 1024);
    bench.runtime.call(0).complete();
    await bench.leavesNothing();
  });
});
