import { expect, test } from 'vitest';
import type { Batch } from '../../../src/domain/batch/batch.ts';
import type { CommitEntry, Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, transition } from '../samples.ts';
import { batchOf, member } from './batch-entries.ts';
import { appending } from './entries.ts';

function ending(
  batch: Batch,
  first: number,
  place: number,
  status: 'completed' | 'failed' | 'cancelled',
  at: number,
): CommitEntry {
  const id = executionId(first + place);
  const record = recordOf(id, status, {
    lastSequence: 1,
    completedAt: at,
    batch: { batchId: batch.batchId, member: place, name: `m${place}` },
    outcome: status === 'completed' ? { status } : { status, code: 'TRAP', message: 'm' },
  });
  return { ...appending(id, 1, []), record };
}

const all = { after: -1, limit: 1000, statuses: [] } as const;

export function batchesContract(open: () => Promise<Store>): void {
  test('a batch is there with all of its members, and its log has their ends, numbered', async () => {
    const store = await open();
    const batch = batchOf(1, 3);
    const entries = [member(batch, 1, 0), member(batch, 1, 1), member(batch, 1, 2, [0, 1])];
    expect(await store.admitBatch(batch, entries)).toMatchObject({ ok: true, positions: [1, 2, 3] });
    expect(await store.waitingLines()).toEqual([{ line: 'a', count: 3 }]);
    const taskName = entries[0]?.record?.taskName;
    expect(await store.batchMembers(batch.batchId, all)).toEqual([
      {
        member: 0,
        name: 'm0',
        executionId: executionId(1),
        layer: 0,
        follows: [],
        taskName,
        status: 'pending',
      },
      {
        member: 1,
        name: 'm1',
        executionId: executionId(2),
        layer: 0,
        follows: [],
        taskName,
        status: 'pending',
      },
      {
        member: 2,
        name: 'm2',
        executionId: executionId(3),
        layer: 1,
        follows: [0, 1],
        taskName,
        status: 'pending',
      },
    ]);
    await store.commit([ending(batch, 1, 1, 'failed', 7)]);
    await store.commit([ending(batch, 1, 0, 'completed', 8)]);
    expect(await store.batch(batch.batchId)).toEqual({
      batch,
      counts: { ended: 2, completed: 1, failed: 1, cancelled: 0, timedOut: 0, running: 0 },
    });
    const endings = await store.batchEndings(batch.batchId, 1, 10);
    expect(endings).toMatchObject([
      { sequence: 1, member: 1, status: 'failed', errorCode: 'TRAP', endedAt: 7 },
      { sequence: 2, member: 0, status: 'completed', endedAt: 8 },
    ]);
    expect(await store.batchEndings(batch.batchId, 2, 10)).toEqual(endings.slice(1));
    expect(await store.unfinishedBatches()).toHaveLength(1);
    await store.commit([ending(batch, 1, 2, 'cancelled', 9)]);
    expect((await store.batch(batch.batchId))?.counts).toMatchObject({
      ended: 3,
      cancelled: 1,
      completedAt: 9,
    });
    expect(await store.unfinishedBatches()).toEqual([]);
    const failed = { ...all, statuses: ['failed'] as const };
    expect(await store.batchMembers(batch.batchId, failed)).toMatchObject([{ member: 1 }]);
    // How it ended is known also when its record is gone.
    await store.delete(executionId(2));
    expect(await store.batchMembers(batch.batchId, failed)).toMatchObject([{ member: 1 }]);
    // Of what is asked for, all has to be so; a page goes on behind what was not wanted.
    const wanted = async (query: object) =>
      (await store.batchMembers(batch.batchId, { ...all, limit: 1, ...query })).map((each) => each.member);
    expect(await wanted({ firstLayer: 1 })).toEqual([2]);
    expect(await wanted({ after: 0, lastLayer: 0 })).toEqual([1]);
    expect(await wanted({ firstLayer: 2 })).toEqual([]);
    expect(await wanted({ errorCodes: ['TRAP'] })).toEqual([1]);
    expect(await wanted({ errorCodes: ['SIGNALED'] })).toEqual([]);
    expect(await wanted({ taskName })).toEqual([0]);
    expect(await wanted({ taskName: 'another' })).toEqual([]);
  });

  test('members are listed by their batch, in pages', async () => {
    const store = await open();
    const [one, two] = [batchOf(1, 3), batchOf(2, 1)];
    await store.admitBatch(
      one,
      [0, 1, 2].map((place) => member(one, 1, place)),
    );
    await store.admitBatch(two, [member(two, 9, 0)]);
    const listed = await store.executions({ batchId: one.batchId, statuses: [], limit: 10 });
    expect(listed.map((record) => record.executionId)).toEqual([3, 2, 1].map(executionId));
    expect(await store.batchMembers(one.batchId, { ...all, limit: 2 })).toHaveLength(2);
    expect(await store.batchMembers(one.batchId, { ...all, after: 1 })).toMatchObject([{ member: 2 }]);
    expect((await store.batches('default', '', 10)).map((each) => each.batch)).toEqual([two, one]);
    expect((await store.batches(undefined, two.batchId, 10)).map((each) => each.batch)).toEqual([one]);
    expect(await store.batches('other', '', 10)).toEqual([]);
  });

  test('an invocation id of a tenant is that of one batch', async () => {
    const store = await open();
    const one = batchOf(1, 1, { invocationId: 'key' });
    await store.admitBatch(one, [member(one, 1, 0)]);
    const again = batchOf(2, 1, { invocationId: 'key' });
    expect(await store.admitBatch(again, [member(again, 2, 0)])).toEqual({
      ok: false,
      conflict: 'batch',
      batchId: one.batchId,
    });
    expect(await store.execution(executionId(2))).toBeUndefined();
    expect((await store.batchByInvocation('default', 'key'))?.batch).toEqual(one);
    expect(await store.batchByInvocation('other', 'key')).toBeUndefined();
  });

  test.each([3, 1500])('of a batch of %i, nothing is there where one member cannot be', async (count) => {
    const store = await open();
    const batch = batchOf(1, count);
    const entries = Array.from({ length: count }, (_, place) => member(batch, 1, place));
    const last = entries[count - 1] as CommitEntry;
    const record = recordOf(last.executionId, 'pending', {
      lastSequence: 1,
      batch: { batchId: batch.batchId, member: count - 1 },
      blocked: true,
      dependsOn: [{ executionId: executionId(9999) }],
    });
    entries[count - 1] = { ...last, record };
    expect(await store.admitBatch(batch, entries)).toEqual({
      ok: false,
      conflict: 'dependency',
      executionId: executionId(9999),
    });
    expect(await store.batch(batch.batchId)).toBeUndefined();
    expect(await store.executions({ statuses: [], limit: 10 })).toEqual([]);
    expect(await store.waitingLines()).toEqual([]);
    expect((await store.counts()).executions.pending).toBe(0);
  });

  test('a large batch comes to readers as a whole, and others commit in between', async () => {
    const store = await open();
    const batch = batchOf(1, 3000);
    const admitting = store.admitBatch(
      batch,
      Array.from({ length: 3000 }, (_, place) => member(batch, 1, place)),
    );
    const alone = executionId(9000);
    const other = store.commit([
      {
        ...appending(alone, 0, [transition(1, '', 'pending.queued')]),
        record: recordOf(alone, 'pending', { lastSequence: 1 }),
      },
    ]);
    const seen = new Set<number>();
    const counted = new Set<number>();
    const followed = new Set<number>();
    let isDone = false;
    void admitting.finally(() => {
      isDone = true;
    });
    while (!isDone) {
      seen.add((await store.waiting('a', undefined, 5000)).length);
      seen.add((await store.executions({ batchId: batch.batchId, statuses: [], limit: 5000 })).length);
      counted.add((await store.counts()).executions.pending);
      counted.add((await store.counts({ tenant: 'default' })).executions.pending);
      const events = await store.eventsFromPosition(1, 5000);
      followed.add(events.filter((event) => event.executionId !== alone).length);
      await new Promise((resolve) => void setImmediate(resolve));
    }
    expect((await other)[0]).toMatchObject({ ok: true });
    expect((await admitting).ok).toBe(true);
    const partly = (count: number) => count !== 0 && count !== 3000;
    expect([...seen, ...followed].filter(partly)).toEqual([]);
    // The other one is there or is not yet.
    expect([...counted].filter((count) => partly(count) && partly(count - 1))).toEqual([]);
    expect(await store.eventsFromPosition(1, 5000)).toHaveLength(3001);
    expect(await store.waiting('a', undefined, 5000)).toHaveLength(3000);
    expect((await store.batch(batch.batchId))?.counts.ended).toBe(0);
  });

  test('what is said of a batch can be written anew', async () => {
    const store = await open();
    const batch = batchOf(1, 1);
    await store.admitBatch(batch, [member(batch, 1, 0)]);
    const cancelling = { ...batch, cancelling: { reason: 'enough' } };
    await store.saveBatch(cancelling);
    expect((await store.batch(batch.batchId))?.batch).toEqual(cancelling);
  });

  test('members of a supervised batch are given other executions, and end once, when that is said', async () => {
    const store = await open();
    const batch = batchOf(1, 2);
    const supervised = (place: number, first: number): CommitEntry => {
      const entry = member(batch, first, place);
      if (entry.record?.batch === undefined) throw new Error('no member');
      return { ...entry, record: { ...entry.record, batch: { ...entry.record.batch, supervised: true } } };
    };
    await store.admitBatch(batch, [supervised(0, 1), supervised(1, 1)]);
    const id = executionId(1);
    const ended = recordOf(id, 'failed', {
      ...{ lastSequence: 2, completedAt: 5 },
      batch: { batchId: batch.batchId, member: 0, name: 'm0', supervised: true },
      outcome: { status: 'failed', code: 'FUNCTION_EXIT', message: '' },
    });
    const events = [transition(2, 'pending.queued', 'failed')];
    await store.commit([{ ...appending(id, 1, events), record: ended }]);
    expect((await store.batch(batch.batchId))?.counts.ended).toBe(0);
    const changed = { ...batch, cancelling: { reason: 'said with it' } };
    const result = await store.superviseBatch(batch, changed, [supervised(0, 10)], []);
    expect(result.ok).toBe(true);
    const all = { after: -1, limit: 10, statuses: [] };
    expect(await store.batchMembers(batch.batchId, all)).toMatchObject([
      { member: 0, name: 'm0', executionId: executionId(10), status: 'pending' },
      { member: 1, executionId: executionId(2), status: 'pending' },
    ]);
    const end = { status: 'failed', errorCode: 'FUNCTION_EXIT', endedAt: 7 } as const;
    for (const _ of [1, 2]) await store.superviseBatch(changed, changed, [], [{ member: 0, end }]);
    const state = await store.batch(batch.batchId);
    expect(state?.batch).toEqual(changed);
    expect(state?.counts).toMatchObject({ ended: 1, failed: 1 });
    expect(await store.batchEndings(batch.batchId, 1, 10)).toMatchObject([
      { member: 0, sequence: 1, ...end },
    ]);
    const other = { ...changed, cancelling: { reason: 'said meanwhile' } };
    for (const entries of [[], [supervised(1, 20)]]) {
      expect(await store.superviseBatch(batch, other, entries, [{ member: 1, end }])).toEqual({
        ...{ ok: false, conflict: 'changed' },
      });
    }
    expect(await store.execution(executionId(20))).toBeUndefined();
    expect((await store.batch(batch.batchId))?.counts.ended).toBe(1);
    await store.superviseBatch(
      changed,
      changed,
      [],
      [{ member: 1, end: { status: 'completed', endedAt: 9 } }],
    );
    expect((await store.batch(batch.batchId))?.counts).toMatchObject({
      ended: 2,
      completed: 1,
      completedAt: 9,
    });
  });
}
