/** Results of pure functions that are kept for equal calls. */
import { invalidArgument } from './errors.ts';
import type { ExecutionRecord } from './execution.ts';
import { networkOf } from './network/network-list.ts';
import type { CachePolicy, TaskDefinition } from './task.ts';

const mebibyte = 1024 * 1024;

/** Of the output of one result where its task does not say it. */
export const defaultCachedBytes = mebibyte;
/** A hit writes all of it in one commit. */
export const mostCachedBytes = 8 * mebibyte;

/** What the cache of its task had to do with an execution. */
export interface CacheUse {
  /** What tells calls apart; absent for one that came with a snapshot, whose result is no one else's. */
  readonly key?: string;
  readonly use: 'miss' | 'hit' | 'shared' | 'bypass';
  /** The execution that computed its result, and when that had ended: wall clock, milliseconds since the epoch. */
  readonly from?: string;
  readonly fromAt?: number;
}

/** What the cache of a task has done since the start of the node. */
export interface CacheSavings {
  readonly hits: number;
  readonly misses: number;
  readonly shared: number;
  /** Of the runs that were not needed, in milliseconds. */
  readonly savedMs: number;
  readonly savedCpuMs: number;
  /** Results that are kept now. */
  readonly entries: number;
  readonly bytes: number;
}

export const noSavings: CacheSavings = {
  hits: 0,
  misses: 0,
  shared: 0,
  savedMs: 0,
  savedCpuMs: 0,
  entries: 0,
  bytes: 0,
};

/** What caches do, for who shows it. */
export interface CacheViews {
  /** Of a task's id; undefined where nothing was asked of its cache since the start of the node. */
  savingsOf(taskId: string): CacheSavings | undefined;
}

/** One call of one revision, whose results are equal where the function is pure; `payload` is what `invocation_id` compares. */
export function callKey({ taskId, revision }: { taskId: string; revision: number }, payload: string): string {
  return `${taskId}@${revision}:${payload}`;
}

/** What keys calls of that record; undefined where nothing of it may be kept or used. */
export function keyOf({ taskId, taskRevision, cache }: ExecutionRecord): string | undefined {
  return cache?.key === undefined ? undefined : callKey({ taskId, revision: taskRevision }, cache.key);
}

export function maxBytesOf({ maxBytes = defaultCachedBytes }: CachePolicy): number {
  return maxBytes;
}

/** What a task of that definition may read that no key has; none for a task whose results depend on their calls alone. */
export function unkeyedReads(
  definition: Pick<TaskDefinition, 'runtime' | 'preopens' | 'secrets' | 'network' | 'allowNetwork'> &
    Parameters<typeof networkOf>[0],
): readonly string[] {
  return [
    ...(definition.runtime === 'process' ? ['the process runtime'] : []),
    ...(Object.keys(definition.preopens).length > 0 ? ['host folders'] : []),
    ...(networkOf(definition).length > 0 ? ['the network'] : []),
    ...(Object.keys(definition.secrets ?? {}).length > 0 ? ['secrets'] : []),
  ];
}

/** Throws invalid_argument for a cache of a task that reads what no key has, unless it insists. */
export function assertMayCache(
  definition: Parameters<typeof unkeyedReads>[0] & Pick<TaskDefinition, 'cache'>,
): void {
  const { cache } = definition;
  if (cache === undefined || cache.insist === true) return;
  const reads = unkeyedReads(definition);
  if (reads.length === 0) return;
  throw invalidArgument(
    'definition.cache',
    `is refused, as the task may read what no key of a call has (${reads.join(', ')}); allowed with insist: true, where its results do not depend on that`,
  );
}
