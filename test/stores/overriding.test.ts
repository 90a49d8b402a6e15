import { expect, test } from 'vitest';
import { overriding } from '../../src/stores/overriding.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

test('a store over another one has its methods, those of the other, and those of the store beneath', async () => {
  const beneath = createMemoryStore();
  const lower = overriding(beneath, {
    countRows: async () => 1,
    lastPosition: async () => 1,
  });
  const upper = overriding(lower, {
    countRows: async (kind, tenant) => 10 + (await lower.countRows(kind, tenant)),
  });
  expect(await upper.countRows('kind')).toBe(11);
  expect(await lower.countRows('kind')).toBe(1);
  expect(await upper.lastPosition()).toBe(1);
  expect(await beneath.countRows('kind')).toBe(0);
  expect(await upper.quotas()).toEqual([]);
  expect(upper.lowSpace).toBe(beneath.lowSpace);
});

test('what a store beneath says now is what is said, however many are over it', () => {
  const beneath = createMemoryStore();
  let full = false;
  Object.defineProperty(beneath, 'lowSpace', { get: () => full });
  const upper = overriding(overriding(beneath, {}), {});
  expect(upper.lowSpace).toBe(false);
  full = true;
  expect(upper.lowSpace).toBe(true);
});
