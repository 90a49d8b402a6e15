import { expect, test } from 'vitest';
import { fromStore } from '../../src/actors/stored-invocation.ts';
import { ArtifactError } from '../../src/stores/artifacts.ts';
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

test('an input whose file is gone is read once and given up, and the store is not said to fail', async () => {
  const store = createMemoryStore();
  let reads = 0;
  const lost = {
    ...store,
    input: () => {
      reads += 1;
      return Promise.reject(new ArtifactError('its bytes are missing'));
    },
  };
  const heard: unknown[] = [];
  const invocation = await fromStore(
    lost,
    new FakeClock(),
    recordOf('exec_00000000000000000000000001', 'pending', {}),
    new AbortController().signal,
    (error) => heard.push(error),
  );
  expect(invocation).toBeUndefined();
  expect(heard).toEqual([]);
  expect(reads).toBe(1);
});
