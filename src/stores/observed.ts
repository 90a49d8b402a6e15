import type { DeletedExecution, StoreObserver } from '../domain/node-feed.ts';
import { tenantOf } from '../domain/scope.ts';
import { isDamage } from '../domain/store-error.ts';
import { overriding } from './overriding.ts';
import type { CommitEntry, CommitResult, Store } from './store.ts';

/**
 * A store that tells what became durable and what was deleted, whoever asked for it. Nobody else tells that.
 *
 * 1. Observers hear of a commit before whoever made it, in the order of its entries.
 * 2. Members of a batch get their places in the order of commits before anybody sees them: observers hear when that
 *    begins, so that nobody who follows is led past them.
 * 3. An observer that throws is dropped and its error told: nothing that looks at an execution may touch it (I5).
 */
export interface ObservedStore {
  readonly store: Store;
  /** Tells `observer` of every commit and every deletion until the returned function is called. */
  observe(observer: StoreObserver): () => void;
}

/** @param failed hears what an observer threw */
export function observedStore(kept: Store, failed: (error: unknown) => void): ObservedStore {
  const observers = new Set<StoreObserver>();

  function tell(how: (observer: StoreObserver) => void): void {
    for (const observer of observers) {
      try {
        how(observer);
      } catch (error) {
        observers.delete(observer);
        failed(error);
      }
    }
  }

  function tellCommitted({ record, events }: CommitEntry, result: CommitResult | undefined): void {
    if (record === undefined || result?.ok !== true) return;
    tell((observer) => observer.committed?.(record, events, result.position));
  }

  const store = overriding(kept, {
    async commit(entries) {
      const results = await kept.commit(entries);
      for (const [index, entry] of entries.entries()) tellCommitted(entry, results[index]);
      return results;
    },
    async admitBatch(batch, entries) {
      const { batchId } = batch;
      tell((observer) => observer.batchBegun?.(batchId));
      try {
        const result = await kept.admitBatch(batch, entries);
        if (!result.ok) return result;
        for (const [index, entry] of entries.entries()) {
          tellCommitted(entry, { ok: true, position: result.positions[index] ?? 0 });
        }
        return result;
      } finally {
        tell((observer) => observer.batchWritten?.(batchId));
      }
    },
    async superviseBatch(before, batch, entries, endings) {
      const result = await kept.superviseBatch(before, batch, entries, endings);
      if (!result.ok) return result;
      for (const [index, entry] of entries.entries()) {
        tellCommitted(entry, { ok: true, position: result.positions[index] ?? 0 });
      }
      return result;
    },
    async delete(executionId) {
      const whose = observers.size === 0 ? undefined : await lastSeen(kept, executionId);
      const gone = await kept.delete(executionId);
      if (gone) tell((observer) => observer.deleted?.([whose ?? { executionId }]));
      return gone;
    },
    async retain(retention) {
      const step = await kept.retain(retention);
      const { deletedExecutions, shortened = [] } = step;
      if (deletedExecutions.length > 0) tell((observer) => observer.deleted?.(deletedExecutions));
      if (shortened.length > 0) tell((observer) => observer.shortened?.(shortened));
      return step;
    },
  });
  return {
    store,
    observe(observer) {
      observers.add(observer);
      return () => void observers.delete(observer);
    },
  };
}

/** Whose it is, while that can still be read; undefined for one that is damaged, which is deleted all the same. */
async function lastSeen(kept: Store, executionId: string): Promise<DeletedExecution | undefined> {
  try {
    const record = await kept.execution(executionId);
    return record && { executionId, tenant: tenantOf(record), taskName: record.taskName };
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
