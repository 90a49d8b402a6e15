import { describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, noRetry, requestWith, taskWith } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { crash, story, supervisorBench, withFiles } from './supervisor-bench.ts';

const short = ['>pending.queued', 'pending.queued>running.attempting'];
const retry = { ...noRetry, maxAttempts: 3 };

describe('the queue', () => {
  test('runs first come, first served, as many at once as there are slots', async () => {
    const bench = supervisorBench({ slots: 2 });
    const cursors = [];
    for (let n = 0; n < 6; n++) cursors.push(await bench.admit({ mode: 'async' }));
    expect(bench.supervisor.load).toEqual({ live: 6, running: 2, pending: 4, slots: 2 });
    for (let n = 0; n < 6; n++) {
      expect(bench.runtime.running).toBeLessThanOrEqual(2);
      bench.runtime.call(n).complete();
      await settle();
    }
    expect(bench.runtime.calls.map((call) => call.attempt.executionId)).toEqual(
      cursors.map((cursor) => cursor.executionId),
    );
    await bench.leavesNothing();
  });

  test('keeps the order of admission for those that had to wait for their commit too', async () => {
    const bench = supervisorBench({ slots: 1 });
    const ids = [];
    for (let n = 0; n < 4; n++) ids.push((await bench.admit({ task: withFiles() })).executionId);
    for (let n = 0; n < 4; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    expect(bench.runtime.calls.map((call) => call.attempt.executionId)).toEqual(ids);
    await bench.leavesNothing();
  });

  test('refuses past its limit, saying what ran out and when to come again, and takes more when there is room', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 2 });
    for (let n = 0; n < 3; n++) await bench.admit({ mode: 'async' });
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject({
      kind: 'resource_exhausted',
      reason: 'QUEUE_FULL',
      quota: 'queue-limit',
      retryAfterMs: expect.any(Number),
    });
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 2 });
    bench.runtime.call(0).complete();
    await settle();
    await bench.admit();
    for (let n = 1; n < 4; n++) {
      bench.runtime.call(n).complete();
      await settle();
    }
    await bench.leavesNothing();
  });

  test('with no queue at all, what finds a free slot runs and what does not is refused', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 0 });
    await bench.admit();
    await expect(bench.supervisor.admit(requestWith())).rejects.toMatchObject({ kind: 'resource_exhausted' });
    bench.runtime.call(0).complete();
    await settle();
    await bench.admit();
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('with no queue at all, requests for which there are free slots are all taken, durable first or not', async () => {
    const bench = supervisorBench({ slots: 2, queueLimit: 0 });
    bench.watched.hold();
    await bench.supervisor.admit(requestWith({ task: withFiles() }));
    await bench.supervisor.admit(requestWith({ task: withFiles() }));
    bench.watched.release();
    await settle();
    expect(bench.runtime.calls).toHaveLength(2);
    for (const call of bench.runtime.calls) call.complete();
    await bench.leavesNothing();
  });

  test('goes on when a backlog of commits had held it back', async () => {
    const bench = supervisorBench({ slots: 1, queueLimit: 20_000 });
    await bench.admit({ mode: 'async' });
    const many = async (): Promise<void> => {
      for (let n = 0; n < 4200; n++) await bench.supervisor.admit(requestWith({ mode: 'async' }));
    };
    bench.watched.hold();
    bench.runtime.call(0).complete();
    await settle();
    await bench.supervisor.admit(requestWith({ mode: 'async' }));
    expect(bench.runtime.calls).toHaveLength(2);
    await many();
    bench.runtime.call(1).complete();
    // The store takes one commit after the other, and as many requests come while the second of them is written.
    bench.watched.release();
    bench.watched.hold();
    await settle();
    await many();
    bench.watched.release();
    await settle();
    bench.runtime.script = (call) => call.complete();
    for (const call of bench.runtime.calls) if (!call.over) call.complete();
    await bench.clock.advance(1000);
    expect(bench.supervisor.load).toMatchObject({ live: 0, running: 0, pending: 0 });
  });
});

describe('start_after', () => {
  test('begins at its time and not before, and counts as pending meanwhile', async () => {
    const bench = supervisorBench();
    const cursor = await bench.admit({ mode: 'async', startAfterMs: 500 });
    expect(cursor.record).toMatchObject({ state: 'pending.waiting', status: 'pending' });
    expect(bench.supervisor.load).toMatchObject({ running: 0, pending: 1 });
    await bench.clock.advance(499);
    expect(bench.runtime.calls).toHaveLength(0);
    await bench.clock.advance(1);
    bench.runtime.call(0).complete();
    await settle();
    expect(story(await bench.log(cursor.executionId))).toEqual([
      '>pending.waiting',
      'pending.waiting>pending.queued',
      'pending.queued>running.attempting',
      'result',
    ]);
    expect(await bench.record(cursor.executionId)).toMatchObject({ queueTimeMs: 500 });
    await bench.leavesNothing();
  });

  test('does not hold a slot from others while it waits', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async', startAfterMs: 500, task: withFiles() });
    await bench.admit({ mode: 'async' });
    expect(bench.runtime.calls).toHaveLength(1);
    bench.runtime.call(0).complete();
    await bench.clock.advance(500);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

describe('retries', () => {
  test('come after a backoff, with the slot given to others meanwhile, and before those who wait for their first', async () => {
    const bench = supervisorBench({ slots: 1 });
    const cursor = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    const second = await bench.admit({ mode: 'async' });
    const third = await bench.admit({ mode: 'async' });
    void bench.runtime.call(0).write('stdout', 'one');
    bench.runtime.call(0).fail('TRAP');
    await settle();
    expect(bench.runtime.calls).toHaveLength(2);
    expect((await bench.record(cursor.executionId)).state).toBe('running.backingOff');
    await bench.clock.advance(250);
    bench.runtime.call(1).complete();
    await settle();
    expect(bench.runtime.calls.map((call) => [call.attempt.executionId, call.attempt.number])).toEqual([
      [cursor.executionId, 1],
      [second.executionId, 1],
      [cursor.executionId, 2],
    ]);
    void bench.runtime.call(2).write('stdout', 'two');
    bench.runtime.call(2).complete();
    await settle();
    bench.runtime.call(3).complete();
    await settle();
    const events = await bench.log(cursor.executionId);
    expect(story(events)).toEqual([
      ...short,
      'stdout:one',
      'running.attempting>running.backingOff',
      'running.backingOff>running.attempting',
      'stdout:two',
      'result',
    ]);
    expect(events.map((event) => event.attempt)).toEqual([0, 1, 1, 1, 2, 2, 2]);
    expect(sequences(events)).toEqual(upTo(7));
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 2,
      attemptSequence: 5,
      status: 'completed',
    });
    expect((await bench.record(third.executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('end with the last error when the attempts are used up, at growing distances', async () => {
    const bench = supervisorBench();
    const started: number[] = [];
    const begin = bench.clock.monotonic();
    bench.runtime.script = (call) => {
      started.push(bench.clock.monotonic() - begin);
      call.fail('FUNCTION_EXIT', `exit ${call.attempt.number}`, { exitCode: call.attempt.number });
    };
    const cursor = await bench.admit({ task: taskWith({ retry }) });
    await bench.clock.advance(10_000);
    expect(started).toEqual([0, 200, 600]);
    expect(await bench.record(cursor.executionId)).toMatchObject({
      attempt: 3,
      outcome: { code: 'FUNCTION_EXIT', exitCode: 3 },
    });
    await bench.leavesNothing();
  });

  test('get a large input again', async () => {
    const bench = supervisorBench();
    const input = new Uint8Array(10_000).fill(7);
    await bench.admit({ mode: 'async', task: withFiles({ retry }), invocation: invocationWith({ input }) });
    bench.runtime.call(0).fail('TRAP');
    await bench.clock.advance(200);
    expect(bench.runtime.call(1).attempt.invocation.input).toEqual(input);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });
});

describe('a total timeout that nobody named', () => {
  const timeouts = { totalMs: 1000, totalFrom: 'attempt' } as const;

  test('counts from the first attempt on, however long it waited', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async', timeouts: { totalMs: 60_000 } });
    const waiting = await bench.admit({ mode: 'async', timeouts });
    await bench.clock.advance(50_000);
    expect((await bench.record(waiting.executionId)).status).toBe('pending');
    bench.runtime.call(0).complete();
    await bench.clock.advance(999);
    expect((await bench.record(waiting.executionId)).status).toBe('running');
    await bench.clock.advance(1);
    bench.runtime.call(1).stopped();
    await settle();
    expect(await bench.record(waiting.executionId)).toMatchObject({
      status: 'timedOut',
      outcome: { code: 'TOTAL_TIMEOUT' },
    });
    await bench.leavesNothing();
  });

  test('has not begun after a crash, or a hold, in the queue', async () => {
    const before = supervisorBench({ slots: 1 });
    await before.start({ onInterrupt: 'fail' }, { timeouts: { totalMs: 600_000 } });
    const waiting = await before.start({}, { timeouts });
    const { executionId } = waiting;
    await before.supervisor.suspend(executionId);
    const after = crash(before, { slots: 1, downMs: 5000 });
    await after.supervisor.recover();
    await after.clock.advance(5000);
    await after.supervisor.resume(executionId);
    await after.clock.advance(100);
    expect(await after.record(executionId)).toMatchObject({ status: 'running' });
    expect((await after.record(executionId)).deadlines.total).toBeLessThanOrEqual(after.clock.now() + 1000);
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });
});
