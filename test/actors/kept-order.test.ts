/** What of the order of runs outlives a node, on a supervisor. */
import { describe, expect, test } from 'vitest';
import type { LogCursor } from '../../src/domain/log.ts';
import { settle } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { crash, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const oneAMinute = { rate: [{ key: 'task', units: 1, perMs: 60_000, burst: 2 }] };

async function opened(bench: SupervisorBench): Promise<SupervisorBench> {
  await bench.supervisor.recover();
  await settle();
  return bench;
}

async function another(bench: SupervisorBench, { record }: LogCursor): Promise<LogCursor> {
  const task = await bench.store.taskRevision(record.taskId, record.taskRevision);
  if (task === undefined) throw new Error('there is no task');
  return bench.admit({ mode: 'async', task });
}

describe('a rate', () => {
  test('is what it was after a crash: what was taken is not there again, and what was not is', async () => {
    const before = await opened(supervisorBench({ slots: 8 }));
    const first = await before.start({ ...oneAMinute, name: 'one' });
    await another(before, first);
    await another(before, first);
    const other = await before.start({ ...oneAMinute, name: 'other' });
    expect(before.runtime.calls).toHaveLength(3);
    before.runtime.call(0).complete();
    before.runtime.call(1).complete();
    before.runtime.call(2).complete();
    await settle();
    const after = await opened(crash(before, { slots: 8 }));
    expect(after.runtime.calls).toHaveLength(0);
    await another(after, other);
    expect(after.runtime.calls).toHaveLength(1);
    await another(after, other);
    expect(after.runtime.calls).toHaveLength(1);
    await after.clock.advance(59_000);
    expect(after.runtime.calls).toHaveLength(1);
    await after.clock.advance(1000);
    expect(after.runtime.calls).toHaveLength(3);
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('lets nobody start before it is durable that a token is gone', async () => {
    const before = await opened(supervisorBench());
    const first = await before.start({ ...oneAMinute, onInterrupt: 'rerun' });
    await another(before, first);
    const third = await another(before, first);
    before.watched.hold();
    await before.clock.advance(60_000);
    expect(third.record.state).toBe('pending.queued');
    expect(before.runtime.calls).toHaveLength(2);
    before.watched.release();
    await settle();
    expect(before.runtime.calls).toHaveLength(2);
    before.runtime.call(0).complete();
    await settle();
    expect(before.runtime.calls).toHaveLength(3);
    const after = await opened(crash(before));
    await after.clock.advance(59_000);
    expect(after.runtime.calls).toHaveLength(0);
    await after.clock.advance(1000);
    expect(after.runtime.calls).toHaveLength(1);
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('begins empty where the store cannot say what was taken, and fills from then on through further crashes', async () => {
    const before = await opened(supervisorBench());
    const first = await before.start(oneAMinute);
    before.runtime.call(0).complete();
    await settle();
    const next = crash(before);
    const whole = next.store.order.bind(next.store);
    next.store.order = async () => ({ ...(await whole()), meters: [], isWhole: false });
    await opened(next);
    const after = await opened(crash(next));
    const second = await another(after, first);
    expect(second.record.state).toBe('pending.queued');
    await after.clock.advance(60_000);
    expect(second.record.state).toBe('running.attempting');
    await after.cancelAll();
    await after.leavesNothing();
  });
});

describe('what was used', () => {
  test('counts after a crash, but for the last second', async () => {
    const before = await opened(supervisorBench({ slots: 1 }));
    const first = await before.start({}, { fairnessKey: 'x' });
    const task = await before.store.taskRevision(first.record.taskId, 1);
    if (task === undefined) throw new Error('there is no task');
    for (const fairnessKey of ['x', 'y', 'y']) await before.admit({ mode: 'async', task, fairnessKey });
    await before.clock.advance(30_000);
    const after = await opened(crash(before, { slots: 1 }));
    const ran: string[] = [];
    for (let index = 0; index < 4; index++) {
      const { attempt } = after.runtime.call(index);
      ran.push((await after.record(attempt.executionId)).fairnessKey ?? '');
      await after.clock.advance(100);
      after.runtime.call(index).complete();
      await settle();
    }
    expect(ran).toEqual(['y', 'y', 'x', 'x']);
    await after.leavesNothing();
  });

  test('is written once a second while there is something to write, and not while there is nothing', async () => {
    let writes = 0;
    const store = createMemoryStore();
    const save = store.saveOrder.bind(store);
    store.saveOrder = (changes) => {
      writes++;
      return save(changes);
    };
    const bench = await opened(supervisorBench({}, { store, clocks: { wall: 1_750_000_000_000 } }));
    await bench.start();
    for (let second = 0; second < 5; second++) await bench.clock.advance(1000);
    expect(writes).toBe(5);
    bench.runtime.call(0).complete();
    await bench.clock.advance(10_000);
    expect(writes).toBe(6);
    await bench.leavesNothing();
  });

  test('is written when the node stops', async () => {
    const before = await opened(supervisorBench());
    await before.start({}, { fairnessKey: 'x' });
    await before.clock.advance(900);
    await before.supervisor.leave();
    const { nodes } = await before.store.order();
    expect(nodes).toContainEqual(expect.objectContaining({ path: ['default', 'normal', 'x'], used: 900 }));
    before.supervisor.close();
  });

  test('that the store does not take is written when it works again', async () => {
    const bench = await opened(supervisorBench());
    await bench.start({}, { fairnessKey: 'x' });
    bench.store.setFault(new Error('no disk'));
    await bench.clock.advance(1500);
    bench.store.setFault(undefined);
    await bench.clock.advance(1500);
    const { nodes } = await bench.store.order();
    expect(nodes).toContainEqual(expect.objectContaining({ path: ['default', 'normal', 'x'], used: 3000 }));
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});
