/** What waits for its start time, its next attempt or somebody who lets it go on is rows of the store beyond a few. */
import { describe, expect, test } from 'vitest';
import type { LogCursor } from '../../src/domain/log.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { crash, runAll, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const few = { slots: 1, waiting: { live: 2, ahead: 4, aheadOfLine: 2, rows: 2 } };
const hour = 3_600_000;

/** Nobody looks at it any more. */
async function left(cursor: LogCursor): Promise<string> {
  cursor.close('done');
  await settle();
  return cursor.executionId;
}

async function delayed(bench: SupervisorBench, count: number, startAfterMs = hour): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const timeouts = { totalMs: 10 * hour };
    ids.push(await left(await bench.start({}, { startAfterMs: startAfterMs + n, timeouts })));
  }
  return ids;
}

async function held(bench: SupervisorBench, count: number): Promise<string[]> {
  const ids = await delayed(bench, count);
  for (const id of ids) await bench.supervisor.suspend(id);
  await settle();
  return ids;
}

describe('what waits for its start time', () => {
  test('is let go of beyond a few, counts as pending, and starts in its turn when its time comes', async () => {
    const bench = supervisorBench(few);
    const ids = await delayed(bench, 8);
    expect(bench.supervisor.load).toMatchObject({ live: 2, running: 0, pending: 8 });
    expect(bench.supervisor.passive).toBe(6);
    expect(bench.supervisor.passiveLoad).toEqual({ pending: 6, queued: 0 });
    expect(bench.supervisor.queueLength).toBe(0);
    expect(bench.supervisor.quotas.get('default').load.pending).toBe(8);
    await bench.clock.advance(hour - 1000);
    expect(bench.runtime.calls).toHaveLength(0);
    await bench.clock.advance(2000);
    expect(await runAll(bench)).toEqual(ids);
    await bench.leavesNothing();
  });

  test('is not read when the node starts, and starts also where its time passed meanwhile', async () => {
    const before = supervisorBench(few);
    const ids = await delayed(before, 8);
    const after = crash(before, { ...few, downMs: 2 * hour });
    const report = await after.supervisor.recover();
    await settle();
    expect(report).toMatchObject({ revived: 1, waiting: 7 });
    const ran = await runAll(after);
    expect([...ran].sort()).toEqual([...ids].sort());
    expect(new Set(ran).size).toBe(ids.length);
    await after.leavesNothing();
  });

  test('waits on after a crash until its time, and counts for its tenant meanwhile', async () => {
    const before = supervisorBench(few);
    await delayed(before, 8);
    const after = crash(before, few);
    await after.supervisor.recover();
    await settle();
    expect(after.supervisor.load).toMatchObject({ live: 1, pending: 8 });
    expect(after.supervisor.quotas.get('default').load.pending).toBe(8);
    await after.clock.advance(hour + 1000);
    expect(await runAll(after)).toHaveLength(8);
    await after.leavesNothing();
  });

  test('can be looked at and cancelled, and stays live while it is looked at', async () => {
    const bench = supervisorBench(few);
    const ids = await delayed(bench, 6);
    const cursor = await bench.supervisor.attach(ids[5] ?? '');
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 6 });
    expect(cursor.record.state).toBe('pending.waiting');
    expect((await bench.supervisor.explain(ids[5] ?? '')).summary).toContain('start');
    await bench.clock.advance(10_000);
    expect(bench.supervisor.load.live).toBe(3);
    await left(cursor);
    expect(bench.supervisor.load).toMatchObject({ live: 2, pending: 6 });
    for (const id of ids) await bench.supervisor.cancel(id, 'over');
    await settle();
    expect(bench.supervisor.passive).toBe(0);
    await bench.leavesNothing();
  });

  test('cannot be asked for anything while the node goes away, and says so', async () => {
    const bench = supervisorBench(few);
    const ids = await delayed(bench, 6);
    await bench.supervisor.leave();
    bench.supervisor.close();
    await expect(bench.supervisor.cancel(ids[5] ?? '', 'over')).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'DRAINING',
    });
  });

  test('of which many are due at once starts all the same, each once', async () => {
    const bench = supervisorBench({ ...few, queueLimit: 5000 });
    const task = { ...taskWith(), taskId: 'task_delayed' };
    await bench.store.saveRevision(task);
    for (let n = 0; n < 60; n++) {
      const { cursor } = await bench.supervisor.admit(
        requestWith({ mode: 'async', task, startAfterMs: 5000 }),
      );
      cursor.close('done');
    }
    await settle();
    expect(bench.supervisor.load).toMatchObject({ pending: 60 });
    expect(bench.supervisor.load.live).toBeLessThan(10);
    await bench.clock.advance(6000);
    const ran = await runAll(bench);
    expect(ran).toHaveLength(60);
    expect(new Set(ran).size).toBe(60);
    await bench.leavesNothing();
  });
});

describe('what is held', () => {
  test('is let go of beyond a few, also after a crash, and goes on when it is told to', async () => {
    const before = supervisorBench(few);
    const ids = await held(before, 7);
    expect(before.supervisor.load).toMatchObject({ live: 2, pending: 7 });
    const after = crash(before, few);
    await after.supervisor.recover();
    await settle();
    expect(after.supervisor.load).toMatchObject({ live: 0, pending: 7 });
    for (const id of ids) expect((await after.supervisor.resume(id)).record.state).toBe('pending.waiting');
    await after.clock.advance(hour + 1000);
    expect([...(await runAll(after))].sort()).toEqual([...ids].sort());
    await after.leavesNothing();
  });

  test('ends at its deadline without being live before', async () => {
    const bench = supervisorBench(few);
    const ids = await held(bench, 6);
    await bench.clock.advance(11 * hour);
    for (const id of ids) expect((await bench.record(id)).status).toBe('timedOut');
    await bench.leavesNothing();
  });
});

describe('what waits for its next attempt', () => {
  const retried = {
    retry: { ...noRetry, maxAttempts: 2, initialMs: 60_000, maxMs: 60_000, on: ['FUNCTION_EXIT' as const] },
  };

  async function backingOff(bench: SupervisorBench, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const cursor = await bench.start(retried);
      ids.push(cursor.executionId);
      bench.runtime.calls.at(-1)?.fail('FUNCTION_EXIT');
      await bench.clock.advance(10);
      await left(cursor);
    }
    return ids;
  }

  test('is let go of beyond a few, is not pending, and is tried again when its time comes', async () => {
    const bench = supervisorBench(few);
    const ids = await backingOff(bench, 6);
    expect(bench.supervisor.load).toMatchObject({ live: 2, running: 0, pending: 0 });
    expect(bench.supervisor.passive).toBe(4);
    expect(bench.supervisor.passiveLoad).toEqual({ pending: 0, queued: 0 });
    await bench.clock.advance(61_000);
    const ran = await runAll(bench);
    expect(ran.slice(6)).toEqual(ids);
    for (const id of ids) expect(await bench.record(id)).toMatchObject({ status: 'completed', attempt: 2 });
    await bench.leavesNothing();
  });

  test('is tried again also after a crash', async () => {
    const before = supervisorBench(few);
    const ids = await backingOff(before, 6);
    const after = crash(before, { ...few, downMs: 1000 });
    expect(await after.supervisor.recover()).toMatchObject({ revived: 1, waiting: 5 });
    await after.clock.advance(61_000);
    expect([...(await runAll(after))].sort()).toEqual([...ids].sort());
    await after.leavesNothing();
  });

  test('stays live where that is a moment', async () => {
    const bench = supervisorBench(few);
    const soon = { retry: { ...retried.retry, initialMs: 500, maxMs: 500 } };
    for (let n = 0; n < 5; n++) {
      const cursor = await bench.start(soon);
      bench.runtime.calls.at(-1)?.fail('FUNCTION_EXIT');
      await settle();
      await left(cursor);
    }
    expect(bench.supervisor.passive).toBe(0);
    await bench.clock.advance(600);
    await runAll(bench);
    await bench.leavesNothing();
  });
});
