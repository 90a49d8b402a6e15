import type { DatabaseSync } from 'node:sqlite';
import type { KeptShares } from '../../store.ts';
import { OrderRows } from '../read/order-rows.ts';
import { QuotaRows } from '../read/quotas.ts';
import type { Reading } from '../read/reading.ts';
import type { Writes } from '../write/writes.ts';

export function keptShares(db: DatabaseSync, reading: Reading, writes: Writes): KeptShares {
  const order = new OrderRows(db);
  const quotas = new QuotaRows(db);
  return {
    order: async () => reading.now('cannot read the order of runs', () => order.all()),
    saveOrder: (changes) => writes.send('cannot save the order of runs', { kind: 'saveOrder', changes }),
    quotas: async () => reading.now('cannot read the quotas', () => quotas.all()),
    saveQuota: (tenant, quota) => writes.send('cannot save a quota', { kind: 'saveQuota', tenant, quota }),
  };
}
