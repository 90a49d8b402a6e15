/** What waits beyond a few is rows of the store: it runs, ends and answers all the same, in the same order. */
import { describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith } from '../support/samples.ts';
import { crash, runAll, type SupervisorBench, supervisorBench, withFiles } from './supervisor-bench.ts';

const few = { slots: 1, waiting: { live: 2, ahead: 4, aheadOfLine: 2, rows: 2 } };

/** Admits that many, for whose end nobody waits. */
async function fill(bench: SupervisorBench, count: number, fairnessKeys = ['']): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const fairnessKey = fairnessKeys[n % fairnessKeys.length] ?? '';
    const cursor = await bench.start({}, { ...(fairnessKey !== '' && { fairnessKey }) });
    await bench.clock.advance(5);
    cursor.close('done');
    await settle();
    ids.push(cursor.executionId);
  }
  return ids;
}

describe('what waits beyond those that stay live', () => {
  test('runs first come, first served, with what it was called with', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 12);
    expect(bench.supervisor.load).toEqual({ live: 3, running: 1, pending: 11, slots: 1 });
    expect(bench.supervisor.passive).toBe(9);
    expect(bench.supervisor.queueLength).toBe(11);
    const last = await bench.start({}, { invocation: invocationWith({ args: ['x'] }) });
    last.close('done');
    await settle();
    expect(await runAll(bench)).toEqual([...ids, last.executionId]);
    expect(bench.runtime.calls.at(-1)?.attempt.invocation.args).toEqual(['x']);
    await bench.leavesNothing();
  });

  test('keeps the order also where its admission has to be durable before it waits', async () => {
    const bench = supervisorBench(few);
    const ids: string[] = [];
    for (let n = 0; n < 9; n++) {
      const task = { ...withFiles(), taskId: 'task_files' };
      if (n === 0) await bench.store.saveRevision(task);
      const cursor = await bench.admit({ mode: 'async', task });
      ids.push(cursor.executionId);
      cursor.close('done');
      await settle();
    }
    expect(bench.supervisor.passive).toBe(6);
    expect(await runAll(bench)).toEqual(ids);
    await bench.leavesNothing();
  });

  test('goes on where those that stood before it in memory were all cancelled', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 12);
    for (const id of ids.slice(1, 5)) await bench.supervisor.cancel(id, 'enough');
    await bench.clock.advance(10);
    expect(await runAll(bench)).toEqual([ids[0], ...ids.slice(5)]);
    await bench.leavesNothing();
  });

  test('shares the slots by its lines', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 8);
    const other = await fill(bench, 3, ['b']);
    const order = await runAll(bench);
    expect([...order].sort()).toEqual([...ids, ...other].sort());
    expect(order.filter((id) => ids.includes(id))).toEqual(ids);
    expect(order.filter((id) => other.includes(id))).toEqual(other);
    expect(order.indexOf(other[0] ?? '')).toBeLessThan(4);
    await bench.leavesNothing();
  });

  test('runs with all that it was asked for, where there are as many lines as executions', async () => {
    const bench = supervisorBench(few);
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) {
      const cursor = await bench.start({}, { fairnessKey: `k${n}`, metadata: { n: String(n) } });
      cursor.close('done');
      await settle();
      ids.push(cursor.executionId);
    }
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 19 });
    const order = await runAll(bench);
    expect([...order].sort()).toEqual([...ids].sort());
    for (const [n, id] of ids.entries()) {
      expect(await bench.record(id)).toMatchObject({ status: 'completed', metadata: { n: String(n) } });
    }
    await bench.leavesNothing();
  });

  test('can be cancelled, held and resumed, wherever in the queue it is', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 12);
    const [, , , fourth = '', , , , eighth = '', , , , twelfth = ''] = ids;
    for (const id of [fourth, twelfth]) {
      expect(await bench.supervisor.cancel(id, 'enough')).toMatchObject({ changed: true });
    }
    expect(await bench.supervisor.suspend(eighth)).toMatchObject({ changed: true });
    await settle();
    expect(bench.supervisor.load).toMatchObject({ pending: 9 });
    expect(await runAll(bench)).toEqual(ids.filter((id) => ![fourth, eighth, twelfth].includes(id)));
    expect(await bench.record(fourth)).toMatchObject({ status: 'cancelled' });
    await bench.supervisor.resume(eighth);
    await settle();
    expect((await runAll(bench)).at(-1)).toBe(eighth);
    await bench.leavesNothing();
  });

  test('is live while somebody looks at it, and hears of its end', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 8);
    const cursor = await bench.supervisor.attach(ids[7] ?? '');
    expect(bench.supervisor.load).toMatchObject({ live: 4, pending: 7 });
    const glance = await bench.supervisor.attach(ids[6] ?? '', 'glance');
    expect(bench.supervisor.load).toMatchObject({ live: 5, pending: 7 });
    glance.close('done');
    await settle();
    expect(bench.supervisor.load).toMatchObject({ live: 4, pending: 7 });
    expect(await runAll(bench)).toEqual(ids);
    await cursor.beyond(Number.POSITIVE_INFINITY);
    expect(cursor.record.status).toBe('completed');
    cursor.close('done');
    await bench.leavesNothing();
  });

  test('stays live for who made it with an invocation id, and waits', async () => {
    const bench = supervisorBench(few);
    await fill(bench, 6);
    const cursor = await bench.start({}, { mode: 'sync', invocationId: 'k', payloadDigest: 'd' });
    expect(bench.supervisor.load).toMatchObject({ live: 4, pending: 6 });
    await runAll(bench);
    await cursor.beyond(Number.POSITIVE_INFINITY);
    expect(cursor.record.status).toBe('completed');
    cursor.close('done');
    await bench.leavesNothing();
  });

  test('is joined by its invocation id', async () => {
    const bench = supervisorBench(few);
    await fill(bench, 6);
    const key = { invocationId: 'k', payloadDigest: 'd' };
    const first = await bench.start({}, key);
    first.close('done');
    await settle();
    expect(bench.supervisor.passive).toBe(4);
    const { cursor, joined } = await bench.supervisor.admit({
      ...requestWith(),
      ...key,
    });
    expect({ id: cursor.executionId, joined }).toEqual({ id: first.executionId, joined: true });
    await runAll(bench);
    await cursor.beyond(Number.POSITIVE_INFINITY);
    expect(cursor.record.status).toBe('completed');
    cursor.close('done');
    await bench.leavesNothing();
  });

  test('ends at its deadline', async () => {
    const bench = supervisorBench(few);
    await fill(bench, 4);
    const timeouts = { totalMs: 300_000, queueMs: 60 };
    const late = await bench.start({}, { timeouts });
    late.close('done');
    const later = await bench.start({}, { timeouts: { ...timeouts, queueMs: 90 } });
    later.close('done');
    await bench.clock.advance(1);
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 5 });
    await bench.clock.advance(58);
    expect(await bench.record(late.executionId)).toMatchObject({ status: 'pending' });
    await bench.clock.advance(6);
    expect(await bench.record(late.executionId)).toMatchObject({
      status: 'timedOut',
      outcome: { code: 'QUEUE_TIMEOUT' },
    });
    expect(bench.supervisor.load).toMatchObject({ live: 3, pending: 4 });
    await bench.clock.advance(30);
    expect(await bench.record(later.executionId)).toMatchObject({ outcome: { code: 'QUEUE_TIMEOUT' } });
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('is refused past the limit of the queue', async () => {
    const bench = supervisorBench({ ...few, queueLimit: 6 });
    await fill(bench, 7);
    await expect(bench.start()).rejects.toMatchObject({ reason: 'QUEUE_FULL' });
    await runAll(bench);
    await bench.leavesNothing();
  });

  test('waits on after a crash without being live, and runs in its order', async () => {
    const before = supervisorBench(few);
    const ids = await fill(before, 14);
    const after = crash(before, few);
    const report = await after.supervisor.recover();
    expect(report).toMatchObject({ incompatible: 0, waiting: expect.any(Number) });
    expect(report.revived + (report.waiting ?? 0)).toBe(14);
    expect(report.revived).toBeLessThanOrEqual(4);
    await settle();
    expect(after.supervisor.load).toMatchObject({ pending: 13, running: 1 });
    const rest = (await runAll(after)).filter((id) => id !== ids[0]);
    expect(rest.filter((id, at) => rest.indexOf(id) === at)).toEqual(ids.slice(1));
    await after.leavesNothing();
  });

  test('that a crash has let pass its deadline ends when the node is back', async () => {
    const before = supervisorBench(few);
    await fill(before, 6);
    const late = await before.start({}, { timeouts: { totalMs: 1000 } });
    late.close('done');
    await settle();
    const after = crash(before, { ...few, downMs: 2000 });
    await after.supervisor.recover();
    await after.clock.advance(1);
    expect(await after.record(late.executionId)).toMatchObject({ outcome: { code: 'TOTAL_TIMEOUT' } });
    await runAll(after);
    await after.leavesNothing();
  });

  test('whose store cannot be read when its slot comes runs when it can be again', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 7);
    bench.runtime.call(0).complete();
    await bench.clock.advance(10);
    bench.store.setFault(new Error('scripted'));
    for (let n = 1; n < 4; n++) {
      bench.runtime.calls[n]?.complete();
      await bench.clock.advance(10);
    }
    bench.store.setFault(undefined);
    await bench.clock.advance(3000);
    const order = await runAll(bench);
    expect([...order].sort()).toEqual([...ids].sort());
    await bench.leavesNothing();
  });

  test('whose store cannot be read when its slot comes runs also where somebody looks at it before that is asked again', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 7);
    for (let n = 0; n < 3; n++) {
      bench.runtime.calls[n]?.complete();
      await bench.clock.advance(10);
    }
    const next = ids[4] ?? '';
    bench.runtime.calls[3]?.complete();
    bench.store.failNext(new Error('scripted'));
    await bench.clock.advance(10);
    const cursor = await bench.supervisor.attach(next);
    await bench.clock.advance(3000);
    const order = await runAll(bench);
    expect([...order].sort()).toEqual([...ids].sort());
    cursor.close('done');
    await bench.leavesNothing();
  });

  test('says its place to who asks why it waits', async () => {
    const bench = supervisorBench(few);
    const ids = await fill(bench, 12);
    expect(await bench.supervisor.explain(ids[11] ?? '')).toMatchObject({ queuePlace: 11, queueLength: 11 });
    expect(await bench.supervisor.explain(ids[2] ?? '')).toMatchObject({ queuePlace: 2, queueLength: 11 });
    await runAll(bench);
    await bench.leavesNothing();
  });
});
