import { expect, test } from 'vitest';
import { fromStore } from '../../src/actors/stored-invocation.ts';
import { createMemoryStore } from '../../src/stores/memory/store.ts';
import { recordOf } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';

test('a store that cannot be read for a while is said to fail, and then to work again', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const heard: (string | undefined)[] = [];
  store.setFault(new Error('no disk'));
  const reading = fromStore(
    store,
    clock,
    recordOf('exec_00000000000000000000000001', 'pending', {}),
    new AbortController().signal,
    (error) => heard.push(error?.message),
  );
  await clock.advance(100);
  expect(heard).toEqual(['the medium failed: no disk']);
  store.setFault(undefined);
  await clock.advance(250);
  expect(await reading).toBeUndefined();
  expect(heard).toEqual(['the medium failed: no disk', undefined]);
});
