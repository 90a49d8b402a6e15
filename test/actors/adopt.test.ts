/** Executions that come from another node, or another time. */
import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { noRetry } from '../support/samples.ts';
import { sequences, upTo } from './log-bench.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

const retry = { ...noRetry, maxAttempts: 2 };
const unknown = { kind: 'not_found', reason: 'EXECUTION_NOT_FOUND' };

/** The store has an execution that is not live, as one that was just restored: it stood so `downMs` ago. */
async function notLive(
  how: 'waiting' | 'queued' | 'running' | 'backingOff' | 'stopping',
  downMs: number,
  definition: Parameters<ReturnType<typeof supervisorBench>['start']>[0] = {},
) {
  const there = supervisorBench({ slots: how === 'queued' ? 0 : 1 });
  there.runtime.stopsAfterMs = 500;
  const timeouts = { totalMs: 60_000, queueMs: 1000 };
  const more = how === 'waiting' ? { startAfterMs: 500, timeouts } : { timeouts };
  const { executionId } = await there.start({ retry, ...definition }, more);
  if (how === 'backingOff') there.runtime.call(0).fail('TRAP');
  await settle();
  if (how === 'stopping') await there.supervisor.suspend(executionId);
  const takenAt = there.clock.now();
  return { executionId, takenAt, here: crash(there, { downMs }) };
}

describe('adopt', () => {
  test('waiting: it waits here for what was left', async () => {
    const { executionId, takenAt, here } = await notLive('waiting', 5000);
    const record = await here.supervisor.adopt(executionId, { takenAt, hold: false });
    expect(record).toMatchObject({ state: 'pending.waiting', deadlines: { startAt: takenAt + 5500 } });
    expect(await here.record(executionId)).toEqual(record);
    await here.clock.advance(500);
    here.runtime.call(0).complete();
    await here.leavesNothing();
  });

  test('queued: a slot here runs it, and its queue timeout is what was left', async () => {
    const { executionId, takenAt, here } = await notLive('queued', 5000);
    await here.supervisor.adopt(executionId, { takenAt, hold: false });
    await settle();
    expect(here.runtime.call(0).attempt.number).toBe(1);
    here.runtime.call(0).complete();
    await settle();
    const record = await here.record(executionId);
    expect(record).toMatchObject({ status: 'completed', attempt: 1 });
    expect(record.recoveries).toBeUndefined();
    await here.leavesNothing();
  });

  test('running: its attempt stayed there, and runs anew here', async () => {
    const { executionId, takenAt, here } = await notLive('running', 5000);
    const record = await here.supervisor.adopt(executionId, { takenAt, hold: false });
    // That it was left behind is no sign that it takes nodes down.
    expect(record.recoveries).toBeUndefined();
    await settle();
    expect(here.runtime.call(0).attempt.number).toBe(2);
    here.runtime.call(0).complete();
    await settle();
    expect(sequences(await here.log(executionId))).toEqual(upTo(6));
    await here.leavesNothing();
  });

  test('running, and it may not run again: INTERRUPTED here', async () => {
    const { executionId, takenAt, here } = await notLive('running', 5000, { runtime: 'process' });
    expect(await here.supervisor.adopt(executionId, { takenAt, hold: false })).toMatchObject({
      status: 'failed',
      outcome: { code: 'INTERRUPTED', message: expect.stringContaining('where the snapshot was taken') },
    });
    await here.leavesNothing();
  });

  test('backing off: its retry is due when it was, or at once', async () => {
    const { executionId, takenAt, here } = await notLive('backingOff', 5000);
    await here.supervisor.adopt(executionId, { takenAt, hold: false });
    await here.clock.advance(0);
    expect(here.runtime.call(0).attempt.number).toBe(2);
    here.runtime.call(0).complete();
    await here.leavesNothing();
  });

  test('being stopped to be held: it is suspended here', async () => {
    const { executionId, takenAt, here } = await notLive('stopping', 5000);
    expect(await here.supervisor.adopt(executionId, { takenAt, hold: false })).toMatchObject({
      state: 'running.suspended',
    });
    await here.cancelAll();
    await here.leavesNothing();
  });

  test.each([
    ['waiting', 'pending.held'],
    ['queued', 'pending.held'],
    ['running', 'running.suspended'],
    ['backingOff', 'running.suspended'],
    ['stopping', 'running.suspended'],
  ] as const)(
    '%s, to be held: it is %s, nothing runs before a resume, and then it does',
    async (how, state) => {
      const { executionId, takenAt, here } = await notLive(how, 5000);
      expect(await here.supervisor.adopt(executionId, { takenAt, hold: true })).toMatchObject({ state });
      await here.clock.advance(5000);
      expect(here.runtime.calls).toHaveLength(0);
      expect(here.supervisor.load).toMatchObject({ live: 1, running: 0 });
      await here.supervisor.resume(executionId);
      await here.clock.advance(500);
      here.runtime.call(0).complete();
      await settle();
      expect(await here.record(executionId)).toMatchObject({ status: 'completed' });
      await here.leavesNothing();
    },
  );

  test('a total timeout that has passed ends it, and nothing runs', async () => {
    for (const how of ['waiting', 'queued', 'running', 'backingOff'] as const) {
      const { executionId, takenAt, here } = await notLive(how, 90_000);
      await here.supervisor.adopt(executionId, { takenAt, hold: false });
      await here.clock.advance(1000);
      expect(here.runtime.calls, how).toHaveLength(0);
      expect(await here.record(executionId), how).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
      await here.leavesNothing();
    }
  });

  test('answers when it is durable', async () => {
    const { executionId, takenAt, here } = await notLive('waiting', 5000);
    here.watched.hold();
    const adopting = here.supervisor.adopt(executionId, { takenAt, hold: false });
    expect(await isSettled(adopting)).toBe(false);
    here.watched.release();
    await adopting;
    await here.cancelAll();
    await here.leavesNothing();
  });

  test('what cannot go on here ends SNAPSHOT_INCOMPATIBLE', async () => {
    const { executionId, takenAt, here } = await notLive('queued', 0);
    here.store.taskRevision = async () => undefined;
    expect(await here.supervisor.adopt(executionId, { takenAt, hold: false })).toMatchObject({
      outcome: { code: 'SNAPSHOT_INCOMPATIBLE' },
    });
    await here.leavesNothing();
  });

  test('of an unknown one is NOT_FOUND, and a node that drains takes none', async () => {
    const { executionId, takenAt, here } = await notLive('queued', 0);
    await expect(here.supervisor.adopt('exec_none', { takenAt, hold: false })).rejects.toMatchObject(unknown);
    here.supervisor.stopAccepting();
    await expect(here.supervisor.adopt(executionId, { takenAt, hold: false })).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'DRAINING',
    });
    here.supervisor.close();
  });
});
