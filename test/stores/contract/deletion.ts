import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, executionId, invocationOf, recordOf, result, transition } from '../samples.ts';
import { a, all, appending, b, c, creating, sequences } from './entries.ts';

export function deletionContract(open: () => Promise<Store>): void {
  test('a finished execution goes with its log, its input and its keys, and others stay', async () => {
    const store = await open();
    await store.commit([
      { ...creating(a), claimInvocationId: 'key', input: invocationOf() },
      { ...creating(b), claimInvocationId: 'other', input: invocationOf() },
    ]);
    expect(await store.delete(a)).toBe(true);
    expect(await store.execution(a)).toBeUndefined();
    expect(await store.executionByInvocation('default', 'key')).toBeUndefined();
    expect(await store.input(a)).toBeUndefined();
    expect(await store.events(a, all)).toEqual([]);
    expect(await store.executions({ statuses: [], limit: 10 })).toHaveLength(1);
    expect(await store.input(b)).toEqual(invocationOf());
    expect((await store.executionByInvocation('default', 'other'))?.executionId).toBe(b);
    expect(sequences(await store.events(b, all))).toEqual([1, 2, 3]);
  });

  test('its key can be claimed, and its id used, anew', async () => {
    const store = await open();
    await store.commit([{ ...creating(a), claimInvocationId: 'key' }]);
    await store.delete(a);
    expect(await store.commit([{ ...creating(b), claimInvocationId: 'key' }, creating(a)])).toEqual([
      { ok: true, position: 4 },
      { ok: true, position: 7 },
    ]);
  });

  test('one that has not ended, or is not there, is not deleted', async () => {
    const store = await open();
    await store.commit([creating(a, 'running')]);
    expect(await store.delete(a)).toBe(false);
    expect(await store.delete(c)).toBe(false);
    expect((await store.execution(a))?.status).toBe('running');
    expect(sequences(await store.events(a, all))).toEqual([1, 2, 3]);
    expect(await store.commit([appending(a, 3, [result(4)])])).toMatchObject([{ ok: true }]);
  });

  test('a log of many rows and megabytes goes whole', async () => {
    const store = await open();
    const id = executionId(9);
    await store.commit([appending(id, 0, [transition(1, '', 'pending')])]);
    for (let row = 0; row < 300; row++) {
      await store.commit([appending(id, 1 + row, [chunk(2 + row, bytesOf(40_000))])]);
    }
    const record = recordOf(id, 'completed', { lastSequence: 302 });
    await store.commit([{ ...appending(id, 301, [result(302)]), record }, creating(b)]);
    expect(await store.delete(id)).toBe(true);
    expect(await store.events(id, all)).toEqual([]);
    const left = await store.eventsFromPosition(0, 1000);
    expect(left.map((event) => event.executionId)).toEqual([b, b, b]);
  });
}
