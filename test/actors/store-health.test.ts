/** What a node says of its store, as reads and writes of it fail and work again. */
import { expect, test } from 'vitest';
import { StoreHealth } from '../../src/actors/executions/store-health.ts';
import { invalidArgument } from '../../src/domain/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

function bench() {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const told: (string | undefined)[] = [];
  const health = new StoreHealth(store, clock, (fault) => told.push(fault?.message));
  const pass = async (): Promise<void> => {
    await clock.advance(1000);
    // The read that began then is over.
    await new Promise((resolve) => void setImmediate(resolve));
  };
  return { clock, store, told, health, pass };
}

test('of a read that failed it is found out that the store can be read again, though nobody else reads', async () => {
  const { store, told, health, pass } = bench();
  store.setFault(new Error('disk gone'));
  health.readFailed(new Error('disk gone'));
  await pass();
  store.setFault(undefined);
  expect(told).toEqual(['disk gone', 'the medium failed: disk gone']);
  await pass();
  expect(told.slice(2)).toEqual([undefined]);
  await pass();
  expect(told).toHaveLength(3);
});

test('a store that can be read and not written, or written and not read, is none that works', async () => {
  const { told, health, pass } = bench();
  health.readFailed(new Error('no read'));
  health.written(new Error('no write'));
  await pass();
  expect(told).toEqual(['no read', 'no write']);
  health.readFailed(new Error('no read'));
  health.written(undefined);
  health.readWorks();
  expect(told.slice(2)).toEqual(['no write', 'no read', undefined]);
});

test('what is refused says nothing of the store, and nothing is told once it is closed', async () => {
  const { told, health, pass } = bench();
  health.readFailed(invalidArgument('field', 'is wrong'));
  health.close();
  health.readFailed(new Error('closing'));
  await pass();
  expect(told).toEqual([]);
});
