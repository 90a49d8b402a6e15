/** A store that has failed in something else than a commit is asked until it works. */
import { expect, test } from 'vitest';
import { StoreProbe } from '../../src/actors/log/store-probe.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

function probeBench({ isCommitting = true } = {}) {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const heard: (string | undefined)[] = [];
  const probe = new StoreProbe({
    ...{ store, clock },
    isCommitting: () => isCommitting,
    health: (error) => void heard.push(error?.message),
  });
  return { clock, store, heard, probe };
}

test('who has heard of the failure hears when it is over, also where there is nothing to commit', async () => {
  const { clock, store, heard, probe } = probeBench();
  store.setFault(new Error('gone'));
  probe.failed(new Error('cannot list'));
  await clock.advance(1000);
  await settle();
  expect(heard).toEqual(['cannot list', expect.stringContaining('gone')]);
  store.setFault(undefined);
  await clock.advance(1000);
  await settle();
  expect(heard.at(-1)).toBeUndefined();
  await clock.advance(10_000);
  expect(heard).toHaveLength(3);
});

test('while commits fail it is the committer that tells', async () => {
  const { clock, heard, probe } = probeBench({ isCommitting: false });
  probe.failed(new Error('cannot list'));
  await clock.advance(1000);
  await settle();
  expect(heard).toEqual(['cannot list']);
});

test('nothing is asked of it once it is closed', async () => {
  const { clock, heard, probe } = probeBench();
  probe.failed(new Error('cannot list'));
  probe.close();
  await clock.advance(10_000);
  await settle();
  expect(heard).toEqual(['cannot list']);
});
