import {
  checkQuota,
  type Quota,
  type Quotas,
  type TenantLoad,
  type TenantQuota,
} from '../../domain/quota.ts';
import type { Store } from '../../stores/store.ts';

/** The quotas of tenants, as the store has them. */
export class TenantQuotas implements Quotas {
  readonly #store: Pick<Store, 'quotas' | 'saveQuota'>;
  readonly #loadOf: (tenant: string) => TenantLoad;
  readonly #changed: (tenant: string, quota: Quota) => void;
  readonly #quotas = new Map<string, Quota>();

  /** `changed` hears of each quota that counts from now on. */
  constructor(
    store: Pick<Store, 'quotas' | 'saveQuota'>,
    loadOf: (tenant: string) => TenantLoad,
    changed: (tenant: string, quota: Quota) => void,
  ) {
    this.#store = store;
    this.#loadOf = loadOf;
    this.#changed = changed;
  }

  async open(): Promise<void> {
    for (const { tenant, quota } of await this.#store.quotas()) {
      this.#quotas.set(tenant, quota);
      this.#changed(tenant, quota);
    }
  }

  /** Another node has set the quota of a tenant, or, with undefined, of any. */
  async reload(tenant: string | undefined): Promise<void> {
    const stored = new Map((await this.#store.quotas()).map((each) => [each.tenant, each.quota]));
    for (const each of tenant === undefined
      ? new Set([...stored.keys(), ...this.#quotas.keys()])
      : [tenant]) {
      const quota = stored.get(each);
      if (quota === undefined) this.#quotas.delete(each);
      else this.#quotas.set(each, quota);
      this.#changed(each, quota ?? none);
    }
  }

  of(tenant: string): Quota {
    return this.#quotas.get(tenant) ?? none;
  }

  async set(tenant: string, quota: Quota): Promise<TenantQuota> {
    const checked = checkQuota('quota', quota);
    const isBounded = Object.values(checked).some((value) => value !== undefined);
    await this.#store.saveQuota(tenant, isBounded ? checked : undefined);
    if (isBounded) this.#quotas.set(tenant, checked);
    else this.#quotas.delete(tenant);
    this.#changed(tenant, checked);
    return this.get(tenant);
  }

  get(tenant: string): TenantQuota {
    return { tenant, quota: this.of(tenant), load: this.#loadOf(tenant) };
  }

  list(): readonly TenantQuota[] {
    return [...this.#quotas.keys()].sort().map((tenant) => this.get(tenant));
  }
}

const none: Quota = {};
