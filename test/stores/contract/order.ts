import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';
import { appending } from './entries.ts';

export function orderContract(open: () => Promise<Store>): void {
  const node = (path: readonly string[], used: number) => ({
    path,
    used,
    reached: used / 3,
    most: used + 0.1,
    ready: used > 1,
    since: used > 1 ? 3 : -1,
  });
  const entry = (number: number) => appending(executionId(number), 0, shortLog());

  test('a fresh store knows nothing of an order, and misses nothing', async () => {
    const store = await open();
    expect(await store.order()).toEqual({ nodes: [], meters: [], isWhole: true });
  });

  test('what nodes have used is written anew and forgotten, and one that is forgotten and written at a time stays', async () => {
    const store = await open();
    await store.saveOrder({ nodes: [node([], 0), node(['a'], 2), node(['a', 'low', 'k/"é'], 1 / 7)] });
    await store.saveOrder({ nodes: [node(['a'], 3)], forgotten: [['a'], ['a', 'low', 'k/"é'], ['b']] });
    const { nodes } = await store.order();
    expect([...nodes].sort((a, b) => a.path.length - b.path.length)).toEqual([node([], 0), node(['a'], 3)]);
  });

  test('a bucket comes with the commit that takes from it, and is never full sooner than was said before', async () => {
    const store = await open();
    const record = recordOf(executionId(1), 'running');
    await store.commit([
      { ...entry(1), record, meters: [{ meter: 'm', fullAt: 20.5 }] },
      { ...entry(2), meters: [{ meter: 'm', fullAt: 10 }] },
      { ...entry(3), meters: [{ meter: 'n', fullAt: 5 }] },
    ]);
    expect((await store.order()).meters).toEqual([
      { meter: 'm', fullAt: 20.5 },
      { meter: 'n', fullAt: 5 },
    ]);
  });

  test('an entry in conflict takes nothing from a bucket', async () => {
    const store = await open();
    await store.commit([entry(1)]);
    const [result] = await store.commit([{ ...entry(1), meters: [{ meter: 'm', fullAt: 20 }] }]);
    expect(result?.ok).toBe(false);
    expect((await store.order()).meters).toEqual([]);
  });

  test('buckets that are full are forgotten, a thousand at a time', async () => {
    const store = await open();
    const meters = Array.from({ length: 1002 }, (_, index) => ({ meter: `m${index}`, fullAt: index }));
    await store.commit([{ ...entry(1), meters }]);
    await store.saveOrder({ emptyAt: 7 });
    expect(await store.saveOrder({ fullBefore: 1000 })).toBe(1000);
    expect(await store.saveOrder({ fullBefore: 1000 })).toBe(1);
    expect(await store.saveOrder({ fullBefore: 1000 })).toBe(0);
    expect(await store.order()).toEqual({
      nodes: [],
      meters: [{ meter: 'm1001', fullAt: 1001 }],
      emptyAt: 7,
      isWhole: true,
    });
  });
}
