import { describe, expect, test } from 'vitest';
import type { Breakpoint } from '../../src/domain/breakpoint.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, taskWith } from '../support/samples.ts';
import { story, supervisorBench, withFiles } from './supervisor-bench.ts';

const { taskId } = taskWith();
const ofTask: Breakpoint['of'] = { kind: 'task', taskId, name: 'echo' };
const retry = { ...noRetry, maxAttempts: 3, initialMs: 1000 };

function beforeAttempts(more: Partial<Pick<Breakpoint, 'of' | 'before' | 'once'>> = {}) {
  return { of: ofTask, before: 'running.attempting' as const, once: false, ...more };
}

describe('a breakpoint before an attempt', () => {
  test('holds it in the log, without a slot, and lets it through once it is resumed', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.supervisor.breakpoints.set(beforeAttempts());
    const { executionId } = await bench.admit({ mode: 'async' });
    expect(bench.runtime.calls).toEqual([]);
    expect(bench.supervisor.load).toMatchObject({ running: 0, pending: 1 });
    await bench.supervisor.resume(executionId);
    await settle();
    bench.runtime.call(0).complete();
    await settle();
    const log = await bench.log(executionId);
    expect(story(log)).toEqual([
      '>pending.queued',
      'pending.queued>pending.held',
      'pending.held>pending.queued',
      'pending.queued>running.attempting',
      'result',
    ]);
    expect(log[1]).toMatchObject({ eventType: 'suspend', reasonCode: 'BREAKPOINT' });
    await bench.leavesNothing();
  });

  test('leaves the slot to others', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.supervisor.breakpoints.set(beforeAttempts());
    await bench.admit({ mode: 'async' });
    const other = taskWith({ name: 'other' });
    await bench.admit({ mode: 'async', task: { ...other, taskId: 'task_other' } });
    expect(bench.runtime.running).toBe(1);
  });

  test('stops the next attempt again, as that is another transition', async () => {
    const bench = supervisorBench();
    const set = await bench.supervisor.breakpoints.set(beforeAttempts());
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    await bench.supervisor.resume(executionId);
    await settle();
    bench.runtime.call(0).fail('TRAP');
    await settle();
    await bench.clock.advance(1000);
    expect((await bench.record(executionId)).state).toBe('running.suspended');
    expect(bench.supervisor.breakpoints.list()).toEqual([{ ...set, hits: 2 }]);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(1);
    bench.runtime.call(1).complete();
    await settle();
    expect((await bench.record(executionId)).status).toBe('completed');
    await bench.leavesNothing();
  });

  test('that is for once holds one execution and is gone', async () => {
    const bench = supervisorBench();
    await bench.supervisor.breakpoints.set(beforeAttempts({ once: true }));
    const first = await bench.admit({ mode: 'async' });
    await bench.admit({ mode: 'async' });
    expect(bench.supervisor.breakpoints.list()).toEqual([]);
    expect(bench.runtime.running).toBe(1);
    await bench.supervisor.resume(first.executionId);
    await settle();
    expect(bench.runtime.running).toBe(2);
  });

  test('for one execution holds no other, and is gone with it', async () => {
    const bench = supervisorBench({ slots: 1 });
    await bench.admit({ mode: 'async' });
    const { executionId } = await bench.admit({ mode: 'async' });
    await bench.supervisor.breakpoints.set(beforeAttempts({ of: { kind: 'execution', executionId } }));
    const third = await bench.admit({ mode: 'async' });
    bench.runtime.call(0).complete();
    await settle();
    expect((await bench.record(executionId)).state).toBe('pending.held');
    expect((await bench.record(third.executionId)).state).toBe('running.attempting');
    await bench.supervisor.cancel(executionId, '');
    await settle();
    expect(bench.supervisor.breakpoints.list()).toEqual([]);
    bench.runtime.call(1).complete();
    await bench.leavesNothing();
  });

  test('that was removed holds nothing, and what it held stays held', async () => {
    const bench = supervisorBench();
    const { breakpointId } = await bench.supervisor.breakpoints.set(beforeAttempts());
    const { executionId } = await bench.admit({ mode: 'async' });
    expect(await bench.supervisor.breakpoints.remove(breakpointId)).toBe(true);
    expect(await bench.supervisor.breakpoints.remove(breakpointId)).toBe(false);
    await bench.admit({ mode: 'async' });
    expect(bench.runtime.running).toBe(1);
    expect((await bench.record(executionId)).state).toBe('pending.held');
  });
});

describe('a breakpoint', () => {
  test('before the queue holds at admission, and after the start time', async () => {
    const bench = supervisorBench();
    await bench.supervisor.breakpoints.set(beforeAttempts({ before: 'pending.queued' }));
    const now = await bench.admit({ mode: 'async', task: withFiles() });
    const later = await bench.admit({ mode: 'async', startAfterMs: 5000 });
    expect((await bench.record(now.executionId)).state).toBe('pending.held');
    expect((await bench.record(later.executionId)).state).toBe('pending.waiting');
    await bench.clock.advance(5000);
    expect((await bench.record(later.executionId)).state).toBe('pending.held');
    for (const { executionId } of [now, later]) await bench.supervisor.resume(executionId);
    await settle();
    expect(bench.runtime.running).toBe(2);
    for (const call of bench.runtime.calls) call.complete();
    await settle();
    expect(story(await bench.log(later.executionId)).slice(0, 4)).toEqual([
      '>pending.waiting',
      'pending.waiting>pending.queued',
      'pending.queued>pending.held',
      'pending.held>pending.queued',
    ]);
    await bench.leavesNothing();
  });

  test('before a backoff keeps the try and its error, and the retry is due at the resume', async () => {
    const bench = supervisorBench();
    await bench.supervisor.breakpoints.set(beforeAttempts({ before: 'running.backingOff' }));
    const { executionId } = await bench.admit({ mode: 'async', task: taskWith({ retry }) });
    bench.runtime.call(0).fail('TRAP');
    await bench.clock.advance(60_000);
    expect((await bench.record(executionId)).state).toBe('running.suspended');
    expect(bench.supervisor.load.running).toBe(0);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(1);
    bench.runtime.call(1).fail('TRAP');
    await settle();
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(1);
    bench.runtime.call(2).fail('TRAP');
    await settle();
    expect(await bench.record(executionId)).toMatchObject({ status: 'failed', attempt: 3 });
    const [, , backoff, hold] = await bench.log(executionId);
    expect(backoff).toMatchObject({ to: 'running.backingOff', reasonCode: 'TRAP' });
    expect(hold).toMatchObject({ to: 'running.suspended', reasonCode: 'BREAKPOINT' });
    await bench.leavesNothing();
  });

  test('does not stop a deadline: what it holds is timed out as what is held is', async () => {
    const bench = supervisorBench();
    await bench.supervisor.breakpoints.set(beforeAttempts());
    const { executionId } = await bench.admit({ mode: 'async', timeouts: { totalMs: 3000 } });
    await bench.clock.advance(3000);
    expect(await bench.record(executionId)).toMatchObject({
      status: 'timedOut',
      outcome: { code: 'TOTAL_TIMEOUT' },
    });
    await bench.leavesNothing();
  });

  test('is not met by what somebody resumes into that state', async () => {
    const bench = supervisorBench();
    const { executionId } = await bench.admit({ mode: 'async', startAfterMs: 5000 });
    await bench.supervisor.suspend(executionId);
    await bench.supervisor.breakpoints.set(beforeAttempts({ before: 'pending.queued' }));
    await bench.clock.advance(5000);
    await bench.supervisor.resume(executionId);
    await bench.clock.advance(5000);
    const states = story(await bench.log(executionId));
    // The start time was still ahead, so it came to the queue by itself.
    expect(states.slice(-2)).toEqual(['pending.waiting>pending.queued', 'pending.queued>pending.held']);
    await bench.supervisor.resume(executionId);
    await settle();
    expect(bench.runtime.running).toBe(1);
  });

  test('is refused where there are too many', async () => {
    const { breakpoints } = supervisorBench().supervisor;
    for (let n = 0; n < 100; n++) await breakpoints.set(beforeAttempts());
    await expect(breakpoints.set(beforeAttempts())).rejects.toThrow('100 breakpoints');
  });
});
