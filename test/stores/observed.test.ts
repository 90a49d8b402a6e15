import { beforeEach, expect, test } from 'vitest';
import { type ObservedStore, observedStore } from '../../src/stores/observed.ts';
import type { CommitEntry, Retention } from '../../src/stores/store.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { executionId, invocationOf, recordOf, result, transition } from './samples.ts';

const failed: unknown[] = [];
const heard: unknown[] = [];
let observed: ObservedStore;
beforeEach(() => {
  failed.length = 0;
  heard.length = 0;
  observed = observedStore(createMemoryStore(), (error) => failed.push(error));
});

function listen() {
  return observed.observe({
    committed: ({ executionId: id }, events, position) => {
      heard.push([id, events.map(({ kind }) => kind), position]);
    },
    deleted: (gone) => heard.push(['deleted', ...gone.map(({ executionId: id }) => id)]),
  });
}

/** An execution that has ended, of two events. */
function ended(number: number, more: Partial<CommitEntry> = {}): CommitEntry {
  const id = executionId(number);
  return {
    executionId: id,
    expectedLastSequence: 0,
    events: [transition(1, '', 'pending.queued'), result(2)],
    record: recordOf(id, 'completed', { lastSequence: 2, completedAt: number }),
    input: invocationOf(),
    ...more,
  };
}

const everything: Retention = { endedBefore: 10, maxBytes: 1e9, now: 1e9, unusedForMs: 1e9 };

test('what is committed is told in its order, with the position of its first event', async () => {
  listen();
  await observed.store.commit([ended(1), ended(2)]);
  await observed.store.commit([]);
  await observed.store.commit([ended(3)]);
  const kinds = ['transition', 'result'];
  expect(heard).toEqual([
    [executionId(1), kinds, 1],
    [executionId(2), kinds, 3],
    [executionId(3), kinds, 5],
  ]);
});

test('what is refused is not told, nor what has no record', async () => {
  await observed.store.commit([ended(1, { claimInvocationId: 'once' })]);
  listen();
  const { record: _, ...bare } = ended(3);
  const results = await observed.store.commit([
    ended(1),
    ended(2, { claimInvocationId: 'once' }),
    { ...bare, executionId: executionId(1), expectedLastSequence: 2, events: [transition(3, 'a', 'b')] },
  ]);
  expect(results.map(({ ok }) => ok)).toEqual([false, false, true]);
  expect(heard).toEqual([]);
});

test('a commit that fails is not told', async () => {
  const broken = observedStore(
    { ...createMemoryStore(), commit: () => Promise.reject(new Error('no disk')) },
    (error) => failed.push(error),
  );
  broken.observe({ committed: () => heard.push('a commit') });
  await expect(broken.store.commit([ended(1)])).rejects.toThrow('no disk');
  expect(heard).toEqual([]);
});

test('what is deleted is told once, whoever deletes it', async () => {
  await observed.store.commit([ended(1), ended(2), ended(20)]);
  listen();
  expect(await observed.store.delete(executionId(1))).toBe(true);
  expect(await observed.store.delete(executionId(1))).toBe(false);
  await observed.store.retain(everything);
  await observed.store.retain(everything);
  expect(heard).toEqual([
    ['deleted', executionId(1)],
    ['deleted', executionId(2)],
  ]);
});

test('an observer that throws is dropped, and the others and whoever committed go on', async () => {
  observed.observe({
    committed: () => {
      throw new Error('an observer');
    },
  });
  const stop = listen();
  await observed.store.commit([ended(1)]);
  await observed.store.commit([ended(2)]);
  stop();
  await observed.store.commit([ended(3)]);
  expect(heard).toHaveLength(2);
  expect(failed).toEqual([new Error('an observer')]);
});

test('everything else is the store itself', async () => {
  await observed.store.commit([ended(1)]);
  expect(observed.store.lowSpace).toBe(false);
  expect(await observed.store.execution(executionId(1))).toMatchObject({ status: 'completed' });
});
