import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Quota } from '../../../domain/quota.ts';
import { DamagedError, type StoredQuota } from '../../store.ts';
import { quotaChecksum } from '../file/checksum.ts';
import { type Row, wholeOf } from './row.ts';

export const quotaColumns = 'tenant AS quota_tenant, quota, checksum';

/** Reads and writes the quotas of tenants. */
export class QuotaRows {
  readonly #all: StatementSync;
  readonly #save: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#all = db.prepare(`SELECT ${quotaColumns} FROM quotas ORDER BY tenant`);
    this.#save = db.prepare(
      `INSERT INTO quotas (tenant, quota, checksum) VALUES (?, ?, ?)
       ON CONFLICT (tenant) DO UPDATE SET quota = excluded.quota, checksum = excluded.checksum`,
    );
    this.#delete = db.prepare('DELETE FROM quotas WHERE tenant = ?');
  }

  all(): StoredQuota[] {
    return wholeOf(this.#all.all(), quotaOf);
  }

  save(tenant: string, quota: Quota | undefined): void {
    if (quota === undefined) {
      this.#delete.run(tenant);
      return;
    }
    const json = JSON.stringify(quota);
    this.#save.run(tenant, json, quotaChecksum(tenant, json));
  }
}

/** Throws DamagedError where the row is not as it was written. */
export function quotaOf({ quota_tenant: tenant, quota, checksum }: Row): StoredQuota {
  if (checksum !== quotaChecksum(String(tenant), String(quota))) {
    throw new DamagedError(`the quota of ${String(tenant)} is damaged`);
  }
  return { tenant: String(tenant), quota: JSON.parse(String(quota)) as Quota };
}
