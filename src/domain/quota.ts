import { invalidArgument, RequestError } from './errors.ts';

/** How much of the node a tenant may have; what is absent is not bounded. */
export interface Quota {
  /** Of the slots, against other tenants with work; absent means 1. */
  readonly weight?: number;
  /** Attempts that run at once. */
  readonly running?: number;
  /** Executions that have not begun. */
  readonly pending?: number;
}

/** What a tenant has now. */
export interface TenantLoad {
  readonly running: number;
  readonly pending: number;
}

export interface TenantQuota {
  readonly tenant: string;
  readonly quota: Quota;
  readonly load: TenantLoad;
}

/** The quotas of a node, by tenant. */
export interface Quotas {
  /** Durable when it resolves; it counts from then on. Without a bound there is no quota of that tenant any more. */
  set(tenant: string, quota: Quota): Promise<TenantQuota>;
  get(tenant: string): TenantQuota;
  /** Those of tenants that have one, by tenant. */
  list(): readonly TenantQuota[];
}

/** The least and the most of each. */
export const quotaBounds = {
  weight: [1, 1000],
  running: [0, 10_000],
  pending: [0, 10_000_000],
} as const satisfies Record<keyof Quota, readonly [number, number]>;

/** Throws invalid_argument for a number that is out of its bounds. */
export function checkQuota(field: string, quota: Quota): Quota {
  for (const [name, [least, most]] of Object.entries(quotaBounds)) {
    const value = quota[name as keyof Quota];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) continue;
    throw invalidArgument(
      `${field}.${name}`,
      `is ${value}; allowed is a whole number from ${least} to ${most}`,
    );
  }
  return quota;
}

/**
 * Throws resource_exhausted where a tenant may have no more that has not begun. `free` slots of the node are there for
 * those that have only to be admitted.
 */
export function assertMayWait(tenant: string, { pending }: Quota, waiting: number, free: number): void {
  if (pending === undefined || waiting < pending + free) return;
  throw new RequestError(
    'resource_exhausted',
    `the quota of ${tenant} is full: ${waiting} executions have not begun, allowed are ${pending}`,
    { reason: 'TENANT_QUOTA_FULL', quota: 'tenant-pending', retryAfterMs: 1000 },
  );
}
