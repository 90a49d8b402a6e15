/** A crash neither extends nor shortens a deadline (I7), and time in a log does not run backwards. */
import { describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { noRetry } from '../support/samples.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

const timeouts = { totalMs: 1000 };

describe('a deadline that passed while the node was away', () => {
  test('total, of one that waited, queued or backed off: it ends TIMED_OUT, and nothing runs', async () => {
    const before = supervisorBench({ slots: 1 });
    const retry = { ...noRetry, maxAttempts: 2 };
    const waiting = await before.start({}, { timeouts, startAfterMs: 5000 });
    const backingOff = await before.start({ retry }, { timeouts });
    before.runtime.call(0).fail('TRAP');
    await before.start();
    const queued = await before.start({}, { timeouts });
    const after = crash(before, { downMs: 60_000, slots: 4 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    for (const { executionId } of [waiting, backingOff, queued]) {
      expect(await after.record(executionId)).toMatchObject({
        status: 'timedOut',
        outcome: { code: 'TOTAL_TIMEOUT' },
        completedAt: after.clock.now(),
      });
    }
    expect(after.runtime.calls).toHaveLength(1);
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });

  test('total, of one that ran: it is lost, and times out instead of running again', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, { timeouts });
    const after = crash(before, { downMs: 5000 });
    await after.supervisor.recover();
    await after.clock.advance(1000);
    expect(after.runtime.calls).toHaveLength(0);
    expect(await after.record(executionId)).toMatchObject({
      attempt: 1,
      recoveries: 1,
      outcome: { code: 'TOTAL_TIMEOUT' },
    });
    await after.leavesNothing();
  });

  test('total, of one that is held or suspended: it ends too', async () => {
    const before = supervisorBench();
    const held = await before.start({}, { timeouts, startAfterMs: 500 });
    const suspended = await before.start({}, { timeouts });
    before.runtime.stopsAfterMs = 0;
    for (const { executionId } of [held, suspended]) await before.supervisor.suspend(executionId);
    await settle();
    const after = crash(before, { downMs: 5000 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    for (const { executionId } of [held, suspended]) {
      expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
    }
    await after.leavesNothing();
  });

  test('queue: it ends QUEUE_TIMEOUT', async () => {
    const before = supervisorBench({ slots: 0 });
    const { executionId } = await before.start({}, { timeouts: { totalMs: 60_000, queueMs: 500 } });
    const after = crash(before, { downMs: 501 });
    await after.supervisor.recover();
    await after.clock.advance(1000);
    expect(after.runtime.calls).toHaveLength(0);
    expect(await after.record(executionId)).toMatchObject({
      status: 'timedOut',
      attempt: 0,
      outcome: { code: 'QUEUE_TIMEOUT' },
      completedAt: after.clock.now() - 1000,
    });
    await after.leavesNothing();
  });
});

describe('a deadline that is ahead', () => {
  test('rings at the instant that it had: queue and total', async () => {
    const before = supervisorBench({ slots: 0 });
    const short = await before.start({}, { timeouts: { totalMs: 60_000, queueMs: 500 } });
    const long = await before.start({}, { timeouts });
    await before.clock.advance(100);
    const after = crash(before, { downMs: 300, slots: 0 });
    await after.supervisor.recover();
    await after.clock.advance(99);
    expect((await after.record(short.executionId)).status).toBe('pending');
    await after.clock.advance(1);
    expect(await after.record(short.executionId)).toMatchObject({
      outcome: { code: 'QUEUE_TIMEOUT' },
      queueTimeMs: 500,
    });
    await after.clock.advance(499);
    expect((await after.record(long.executionId)).status).toBe('pending');
    await after.clock.advance(1);
    expect(await after.record(long.executionId)).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
    await after.leavesNothing();
  });

  test('of a second attempt counts from when that begins', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, { timeouts: { totalMs: 60_000, attemptMs: 500 } });
    const after = crash(before, { downMs: 400 });
    await after.supervisor.recover();
    await after.clock.advance(499);
    expect((await after.record(executionId)).state).toBe('running.attempting');
    await after.clock.advance(1);
    expect(await after.record(executionId)).toMatchObject({ outcome: { code: 'ATTEMPT_TIMEOUT' } });
    await after.leavesNothing();
  });

  test('is not moved by several crashes', async () => {
    let bench = supervisorBench({ slots: 0 });
    const { executionId } = await bench.start({}, { timeouts });
    for (let crashes = 0; crashes < 3; crashes++) {
      await bench.clock.advance(100);
      bench = crash(bench, { downMs: 200, slots: 0 });
      await bench.supervisor.recover();
    }
    await bench.clock.advance(99);
    expect((await bench.record(executionId)).status).toBe('pending');
    await bench.clock.advance(1);
    expect((await bench.record(executionId)).status).toBe('timedOut');
    await bench.leavesNothing();
  });
});

describe('a clock that was set back while the node was away', () => {
  test('the log goes on with the time that it had come to', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start();
    const after = crash(before, { downMs: -3_600_000 });
    await after.supervisor.recover();
    await after.clock.advance(0);
    after.runtime.call(0).complete();
    await settle();
    const times = (await after.log(executionId)).map((event) => event.time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const record = await after.record(executionId);
    expect(record.completedAt).toBeGreaterThanOrEqual(record.startedAt as number);
    expect(record.executionTimeMs).toBeGreaterThanOrEqual(0);
    await after.leavesNothing();
  });
});
