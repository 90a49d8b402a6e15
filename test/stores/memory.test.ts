import { expect, onTestFinished, test } from 'vitest';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { storeContract } from './contract.ts';
import { executionId, recordOf, shortLog } from './samples.ts';

storeContract('memory', async () => {
  const store = createMemoryStore();
  onTestFinished(() => store.close());
  return store;
});

test('memory: a fault rejects every call with its cause, writes nothing, and heals', async () => {
  const store = createMemoryStore();
  const id = executionId(1);
  const entry = {
    executionId: id,
    expectedLastSequence: 0,
    events: shortLog(),
    record: recordOf(id, 'completed'),
  };
  const cause = new Error('disk full');
  store.setFault(cause);
  await expect(store.commit([entry])).rejects.toMatchObject({ name: 'StoreError', cause });
  await expect(store.execution(id)).rejects.toMatchObject({ name: 'StoreError', cause });
  store.setFault(undefined);
  expect(await store.execution(id)).toBeUndefined();
  store.failNext(cause);
  await expect(store.commit([entry])).rejects.toMatchObject({ name: 'StoreError', cause });
  expect(await store.commit([entry])).toEqual([{ ok: true, position: 1 }]);
});
