import { expect, test } from 'vitest';
import type { CommitEntry, Store, WaitingPlace } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';
import { appending } from './entries.ts';

/** One that waits, whose log has three events. */
function waiting(number: number, place: WaitingPlace): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'pending', { lastSequence: 3 });
  return { ...appending(id, 0, shortLog()), record, waiting: place };
}

function changed(number: number, status: 'pending' | 'running', place?: WaitingPlace): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, status, { lastSequence: 3 });
  return { ...appending(id, 3, []), record, ...(place !== undefined && { waiting: place }) };
}

const never = Number.POSITIVE_INFINITY;

export function waitingContract(open: () => Promise<Store>): void {
  const numbers = (executions: readonly { readonly record: { readonly executionId: string } }[]) =>
    executions.map(({ record }) => Number(record.executionId.slice(5)));

  async function filled(): Promise<Store> {
    const store = await open();
    await store.commit([
      waiting(1, { line: 'a', since: 20, wakesAt: 900 }),
      waiting(2, { line: 'a', since: 10, wakesAt: never }),
      waiting(3, { line: 'a', since: 10, wakesAt: 100 }),
      waiting(4, { line: 'b', since: 5, wakesAt: 100 }),
      { ...appending(executionId(5), 0, shortLog()), record: recordOf(executionId(5), 'pending') },
      { ...appending(executionId(6), 0, shortLog()), record: recordOf(executionId(6), 'running') },
    ]);
    return store;
  }

  test('a line is read in the order in which its executions came, and then by id, in pages', async () => {
    const store = await filled();
    expect(await store.waitingLines()).toEqual([
      { line: 'a', count: 3 },
      { line: 'b', count: 1 },
    ]);
    expect(numbers(await store.waiting('a', undefined, 10))).toEqual([2, 3, 1]);
    const page = await store.waiting('a', undefined, 1);
    const second = {
      record: recordOf(executionId(2), 'pending', { lastSequence: 3 }),
      place: { line: 'a', since: 10, wakesAt: never },
    };
    expect(page).toEqual([second]);
    expect(await store.waitingExecution(executionId(2))).toEqual(second);
    expect(await store.waitingExecution(executionId(5))).toBeUndefined();
    expect(await store.waitingExecution(executionId(6))).toBeUndefined();
    expect(numbers(await store.waiting('a', { since: 10, executionId: executionId(2) }, 1))).toEqual([3]);
    expect(numbers(await store.waiting('a', { since: 10, executionId: executionId(3) }, 9))).toEqual([1]);
    expect(await store.waiting('a', { since: 20, executionId: executionId(1) }, 9)).toEqual([]);
    expect(await store.waiting('c', undefined, 9)).toEqual([]);
  });

  test('those between two places are counted, up to a limit', async () => {
    const store = await filled();
    const key = (since: number, number: number) => ({ since, executionId: executionId(number) });
    const first = { since: Number.NEGATIVE_INFINITY, executionId: '' };
    expect(await store.waitingBetween('a', first, key(20, 1), 9)).toBe(2);
    expect(await store.waitingBetween('a', first, key(20, 1), 1)).toBe(1);
    expect(await store.waitingBetween('a', key(10, 2), key(20, 1), 9)).toBe(1);
    expect(await store.waitingBetween('a', key(10, 2), key(10, 3), 9)).toBe(0);
    expect(await store.waitingBetween('b', first, key(20, 1), 9)).toBe(1);
    expect(await store.waitingBetween('c', first, key(20, 1), 9)).toBe(0);
  });

  test('what waits in a line is not among the other unfinished ones', async () => {
    const store = await filled();
    expect((await store.unfinished('', 10)).map(({ executionId: id }) => Number(id.slice(5)))).toEqual([
      5, 6,
    ]);
  });

  test('alarms come the earliest first, in pages, and those without one never', async () => {
    const store = await filled();
    const all = [
      { executionId: executionId(3), wakesAt: 100 },
      { executionId: executionId(4), wakesAt: 100 },
      { executionId: executionId(1), wakesAt: 900 },
    ];
    expect(await store.waking(undefined, 10)).toEqual(all);
    expect(await store.waking(undefined, 1)).toEqual(all.slice(0, 1));
    expect(await store.waking(all[0], 1)).toEqual(all.slice(1, 2));
    expect(await store.waking(all[2], 1)).toEqual([]);
  });

  test('one that has begun can wait in a line as well, and one that has ended never does', async () => {
    const store = await filled();
    const place = { line: 'c', since: 5, wakesAt: 50 };
    const ended = recordOf(executionId(4), 'completed', { lastSequence: 3 });
    await store.commit([
      changed(6, 'running', place),
      { ...appending(executionId(4), 3, []), record: ended, waiting: place },
    ]);
    expect(await store.waitingExecution(executionId(6))).toMatchObject({
      record: { status: 'running' },
      place,
    });
    expect(await store.waking(undefined, 1)).toEqual([{ executionId: executionId(6), wakesAt: 50 }]);
    expect(await store.waitingLines()).toEqual([
      { line: 'a', count: 3 },
      { line: 'c', count: 1 },
    ]);
    expect((await store.unfinished('', 10)).map(({ executionId: id }) => Number(id.slice(5)))).toEqual([5]);
    expect(await store.execution(executionId(6))).toMatchObject({ status: 'running' });
    await store.commit([changed(6, 'running')]);
    expect((await store.unfinished('', 10)).map(({ executionId: id }) => Number(id.slice(5)))).toEqual([
      5, 6,
    ]);
  });

  test('a commit that says nothing of its place takes an execution out of its line', async () => {
    const store = await filled();
    await store.commit([changed(3, 'running'), changed(2, 'pending'), changed(4, 'running')]);
    expect(await store.waitingLines()).toEqual([{ line: 'a', count: 1 }]);
    expect(await store.waking(undefined, 10)).toEqual([{ executionId: executionId(1), wakesAt: 900 }]);
    expect((await store.unfinished('', 10)).map(({ executionId: id }) => Number(id.slice(5)))).toEqual([
      2, 3, 4, 5, 6,
    ]);
    await store.commit([changed(2, 'pending', { line: 'b', since: 7, wakesAt: never })]);
    expect(await store.waitingLines()).toEqual([
      { line: 'a', count: 1 },
      { line: 'b', count: 1 },
    ]);
  });
}
