import { describe } from 'vitest';
import type { Store } from '../../src/stores/store.ts';
import { aliasContract } from './contract/aliases.ts';
import { batchesContract } from './contract/batches.ts';
import { changeContract } from './contract/changes.ts';
import { commitContract } from './contract/commits.ts';
import { deletionContract } from './contract/deletion.ts';
import { dependenciesContract } from './contract/dependencies.ts';
import { logContract } from './contract/logs.ts';
import { orderContract } from './contract/order.ts';
import { outlineContract } from './contract/outline.ts';
import { recordContract } from './contract/records.ts';
import { retentionContract } from './contract/retention.ts';
import { rowContract } from './contract/rows.ts';
import { stagingContract } from './contract/staging.ts';
import { taskContract } from './contract/tasks.ts';
import { tenantContract } from './contract/tenants.ts';
import { waitingContract } from './contract/waiting.ts';

/** What every store does. `open` gives a fresh, empty one and closes it when the test has finished. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`${name}: commit`, () => commitContract(open));
  describe(`${name}: logs`, () => logContract(open));
  describe(`${name}: records`, () => recordContract(open));
  describe(`${name}: changes`, () => changeContract(open));
  describe(`${name}: outline`, () => outlineContract(open));
  describe(`${name}: staging`, () => stagingContract(open));
  describe(`${name}: deletion`, () => deletionContract(open));
  describe(`${name}: retention`, () => retentionContract(open));
  describe(`${name}: tasks`, () => taskContract(open));
  describe(`${name}: aliases`, () => aliasContract(open));
  describe(`${name}: tenants`, () => tenantContract(open));
  describe(`${name}: order`, () => orderContract(open));
  describe(`${name}: batches`, () => batchesContract(open));
  describe(`${name}: dependencies`, () => dependenciesContract(open));
  describe(`${name}: rows`, () => rowContract(open));
  describe(`${name}: waiting`, () => waitingContract(open));
}
