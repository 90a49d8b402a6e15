import { expect, test } from 'vitest';
import type { NewEvent } from '../../../src/domain/event.ts';
import type { Retention, Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, transition } from '../samples.ts';
import { all, appending, ended, sequences } from './entries.ts';

const everything: Retention = {
  endedBefore: 0,
  maxBytes: Number.MAX_SAFE_INTEGER,
  now: 1_750_000_000_000,
  unusedForMs: Number.MAX_SAFE_INTEGER,
};

/** Retains until nothing is left to do, and says what that was. */
async function retained(
  store: Store,
  retention: Partial<Retention>,
): Promise<{ readonly deletedExecutions: readonly string[]; readonly deletedLogs: number }> {
  const deletedExecutions: string[] = [];
  let deletedLogs = 0;
  for (;;) {
    const step = await store.retain({ ...everything, ...retention });
    deletedExecutions.push(...step.deletedExecutions.map((gone) => gone.executionId));
    deletedLogs += step.deletedLogs;
    if (!step.more) return { deletedExecutions, deletedLogs };
  }
}

function loud(bytes: number): NewEvent[] {
  const chunks = Math.ceil(bytes / 50_000);
  return [
    transition(1, '', 'pending.queued'),
    transition(2, 'pending.queued', 'running'),
    ...Array.from({ length: chunks }, (_, index) => chunk(3 + index, bytesOf(50_000, index))),
    result(3 + chunks),
  ];
}

const megabyte = 1_000_000;

export function retentionContract(open: () => Promise<Store>): void {
  async function numbers(store: Store): Promise<number[]> {
    const records = await store.executions({ statuses: [], limit: 5000 });
    return records.map((record) => Number(record.executionId.slice(5))).sort((x, y) => x - y);
  }

  test('what ended long enough ago goes, with its keys, and what ended later stays', async () => {
    const store = await open();
    await store.commit([
      { ...ended(1, 100), claimInvocationId: 'old', input: invocationOf() },
      ended(2, 900),
      ended(3, 101),
      { ...ended(4, 500), claimInvocationId: 'young' },
    ]);
    expect(await retained(store, { endedBefore: 500 })).toEqual({
      deletedExecutions: [executionId(1), executionId(3)],
      deletedLogs: 0,
    });
    expect(await numbers(store)).toEqual([2, 4]);
    expect(await store.executionByInvocation('default', 'old')).toBeUndefined();
    expect(await store.executionByInvocation('default', 'young')).toBeDefined();
    expect(await store.events(executionId(1), all)).toEqual([]);
    expect(sequences(await store.events(executionId(4), all))).toEqual([1, 2, 3]);
  });

  test('what was restored as a record is kept from then on, however long ago it ended', async () => {
    const store = await open();
    const restored = recordOf(executionId(1), 'completed', {
      createdAt: 100,
      completedAt: 100,
      restoredAt: 900,
    });
    await store.commit([{ ...ended(1, 100), record: restored }, ended(2, 100)]);
    expect((await retained(store, { endedBefore: 500 })).deletedExecutions).toEqual([executionId(2)]);
    expect((await retained(store, { endedBefore: 901 })).deletedExecutions).toEqual([executionId(1)]);
  });

  test('what has not ended stays, however old it is and however little room there is', async () => {
    const store = await open();
    const running = (number: number) => ({
      ...appending(executionId(number), 0, loud(megabyte).slice(0, -1)),
      record: recordOf(executionId(number), 'running', { createdAt: number }),
    });
    await store.commit([running(1), ended(2, 100), running(3)]);
    await retained(store, { endedBefore: 1e15, maxBytes: 1 });
    expect(await numbers(store)).toEqual([1, 3]);
    expect(await store.events(executionId(1), all)).toHaveLength(22);
  });

  test('more than one step deletes are deleted all the same', async () => {
    const store = await open();
    const count = 1200;
    await store.commit(Array.from({ length: count }, (_, index) => ended(index + 1, 100 + index)));
    expect(await retained(store, { endedBefore: 100 + count - 10 })).toEqual({
      deletedExecutions: Array.from({ length: count - 10 }, (_, index) => executionId(index + 1)),
      deletedLogs: 0,
    });
    expect(await numbers(store)).toEqual(Array.from({ length: 10 }, (_, index) => count - 9 + index));
    expect(await retained(store, { endedBefore: 1e15 })).toMatchObject({
      deletedExecutions: { length: 10 },
    });
  });

  test('too many bytes take whole logs of the oldest first, but for their results', async () => {
    const store = await open();
    for (const number of [1, 2, 3, 4]) await store.commit([ended(number, 100 + number, loud(megabyte))]);
    const { deletedExecutions, deletedLogs } = await retained(store, { maxBytes: 2.6 * megabyte });
    expect({ deletedExecutions, deletedLogs }).toEqual({ deletedExecutions: [], deletedLogs: 2 });
    for (const number of [1, 2]) {
      const id = executionId(number);
      expect(await store.events(id, all)).toEqual([{ ...result(23), position: number * 23 }]);
      expect(await store.execution(id)).toMatchObject({
        status: 'completed',
        lastSequence: 23,
        oldestSequence: 23,
      });
    }
    for (const number of [3, 4]) {
      expect(await store.events(executionId(number), all)).toHaveLength(23);
      expect((await store.execution(executionId(number)))?.oldestSequence).toBeUndefined();
    }
    expect(await retained(store, { maxBytes: 2.6 * megabyte })).toEqual({
      deletedExecutions: [],
      deletedLogs: 0,
    });
  });

  test('a log of many rows and megabytes goes whole, too', async () => {
    const store = await open();
    const id = executionId(1);
    await store.commit([appending(id, 0, [transition(1, '', 'pending')])]);
    for (let row = 0; row < 300; row++) {
      await store.commit([appending(id, 1 + row, [chunk(2 + row, bytesOf(40_000))])]);
    }
    const record = recordOf(id, 'completed', { createdAt: 1, completedAt: 100, lastSequence: 302 });
    await store.commit([{ ...appending(id, 301, [result(302)]), record }, ended(2, 100)]);
    expect(await retained(store, { maxBytes: megabyte })).toEqual({ deletedExecutions: [], deletedLogs: 1 });
    expect(sequences(await store.events(id, all))).toEqual([302]);
    expect(sequences(await store.events(executionId(2), all))).toEqual([1, 2, 3]);
    expect(await retained(store, { endedBefore: 1e15 })).toEqual({
      deletedExecutions: [id, executionId(2)],
      deletedLogs: 0,
    });
    expect(await store.eventsFromPosition(0, 10)).toEqual([]);
  });

  test('where no logs are left records go, oldest first', async () => {
    const store = await open();
    for (const number of [1, 2, 3, 4, 5, 6]) {
      const input = invocationOf({ input: bytesOf(400_000, number) });
      await store.commit([
        { ...ended(number, 100 + number, loud(200_000)), input, claimInvocationId: `k${number}` },
      ]);
    }
    const { deletedExecutions } = await retained(store, { maxBytes: 1.5 * megabyte });
    const left = await numbers(store);
    expect(left.length).toBeGreaterThan(1);
    expect(left.length).toBeLessThan(5);
    expect(left.at(-1)).toBe(6);
    const gone = [1, 2, 3, 4, 5, 6].filter((number) => !left.includes(number));
    expect(deletedExecutions).toEqual(gone.map((number) => executionId(number)));
    expect(left).toEqual(left.map((_, index) => 7 - left.length + index));
    for (const number of [1, 2, 3, 4, 5, 6]) {
      const owned = await store.executionByInvocation('default', `k${number}`);
      expect(owned?.executionId).toBe(left.includes(number) ? executionId(number) : undefined);
    }
    expect((await store.execution(executionId(6)))?.oldestSequence).toBe(7);
  });

  test('no position is given twice, also when all logs have gone', async () => {
    const store = await open();
    await store.commit([ended(1, 100), ended(2, 100)]);
    await retained(store, { endedBefore: 1e15 });
    expect(await store.eventsFromPosition(0, 10)).toEqual([]);
    expect(await store.commit([ended(3, 100)])).toEqual([{ ok: true, position: 7 }]);
  });
}
