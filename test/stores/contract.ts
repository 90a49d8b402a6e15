import { describe } from 'vitest';
import type { Store } from '../../src/stores/store.ts';
import { commitContract } from './contract/commits.ts';
import { logContract } from './contract/logs.ts';
import { recordContract } from './contract/records.ts';
import { taskContract } from './contract/tasks.ts';

/** What every store does. `open` gives a fresh, empty one and closes it when the test has finished. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: commit`, () => commitContract(open));
  describe(`${name}: logs`, () => logContract(open));
  describe(`${name}: records`, () => recordContract(open));
  describe(`${name}: tasks`, () => taskContract(open));
}
