import { durationText } from './duration.ts';
import { invalidArgument, RequestError } from './errors.ts';
import type { Reserved } from './scheduling/task-gates.ts';
import { sizeText } from './size.ts';

/** How much of the node a tenant may have; what is absent is not bounded. */
export interface Quota {
  /** Of the slots, against other tenants with work; absent means 1. */
  readonly weight?: number;
  /** Attempts that run at once. */
  readonly running?: number;
  /** Executions that have not begun. */
  readonly pending?: number;
  /** Reserved by the attempts that run at once, by the limits of their tasks. */
  readonly memoryBytes?: number;
  /** Kept in the store: records, output, inputs and artifacts. */
  readonly storedBytes?: number;
  /** Starts of attempts. */
  readonly rate?: QuotaRate;
}

/** So many starts in a time, and after a pause at most `burst` at once. */
export interface QuotaRate {
  readonly units: number;
  readonly perMs: number;
  readonly burst: number;
}

/** What a tenant has now. */
export interface TenantLoad {
  readonly running: number;
  readonly pending: number;
  /** Reserved by what runs. */
  readonly memoryBytes: number;
  /** About so many bytes in the store; 0 where they are not bounded, as nobody counts then. */
  readonly storedBytes: number;
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
  memoryBytes: [0, 2 ** 50],
  storedBytes: [0, 2 ** 50],
} as const satisfies Record<Exclude<keyof Quota, 'rate'>, readonly [number, number]>;

const dayMs = 86_400_000;

/** The least and the most of each; `perMs` in milliseconds. */
export const rateBounds = {
  units: [1, 1_000_000],
  perMs: [1, dayMs],
  burst: [1, 1_000_000],
} as const satisfies Record<keyof QuotaRate, readonly [number, number]>;

/** As the wire has them. */
const fieldNames: Readonly<Record<string, string>> = {
  memoryBytes: 'memory_bytes',
  storedBytes: 'stored_bytes',
  perMs: 'per',
};

/** Throws invalid_argument for a number that is out of its bounds. */
export function checkQuota(field: string, quota: Quota): Quota {
  for (const [name, bounds] of Object.entries(quotaBounds)) {
    checkWhole(field, name, quota[name as keyof typeof quotaBounds], bounds);
  }
  for (const [name, bounds] of Object.entries(rateBounds)) {
    checkWhole(`${field}.rate`, name, quota.rate?.[name as keyof QuotaRate], bounds);
  }
  return quota;
}

function checkWhole(
  field: string,
  name: string,
  value: number | undefined,
  [least, most]: readonly [number, number],
): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
  const [is, allowed] =
    name === 'perMs'
      ? [durationText(value), `${durationText(least)} to ${durationText(most)}`]
      : [String(value), `a whole number from ${least} to ${most}`];
  throw invalidArgument(`${field}.${fieldNames[name] ?? name}`, `is ${is}; allowed is ${allowed}`);
}

/** Something that counts what runs of the tenant. */
export function boundsRunning({ running, memoryBytes, rate }: Quota): boolean {
  return running !== undefined || memoryBytes !== undefined || rate !== undefined;
}

/** Throws failed_precondition where an attempt reserves more than all that runs of the tenant may. */
export function assertFits(tenant: string, { memoryBytes }: Quota, { memory = 0 }: Reserved = {}): void {
  if (memoryBytes === undefined || memory <= memoryBytes) return;
  throw new RequestError(
    'failed_precondition',
    `limits.memory of the task is ${sizeText(memory)}, and the quota of ${tenant} allows ${sizeText(memoryBytes)} for all that runs: it could never start`,
    {
      reason: 'NEVER_FITS',
      violations: [
        { field: 'limits.memory', description: `is ${memory}; allowed are at most ${memoryBytes} bytes` },
      ],
    },
  );
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

/** Throws resource_exhausted where a tenant keeps as much as it may. */
export function assertMayStore(tenant: string, { storedBytes }: Quota, stored: number): void {
  if (storedBytes === undefined || stored < storedBytes) return;
  throw new RequestError(
    'resource_exhausted',
    `the quota of ${tenant} is full: it keeps about ${sizeText(stored)}, allowed are ${sizeText(storedBytes)}; \`spear delete\` of executions that have ended frees some at once, and what is older than --retain-for goes by itself`,
    { reason: 'TENANT_STORAGE_FULL', quota: 'tenant-stored-bytes', retryAfterMs: 30_000 },
  );
}
