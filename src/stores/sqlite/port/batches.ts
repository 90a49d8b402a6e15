import type { DatabaseSync } from 'node:sqlite';
import type { Batch } from '../../../domain/batch/batch.ts';
import { assertNumbered } from '../../entry.ts';
import type { BatchResult, CommitEntry, KeptBatches } from '../../store.ts';
import { BatchReader } from '../read/batches.ts';
import type { Reading } from '../read/reading.ts';
import { batchParts } from '../write/batch-parts.ts';
import type { Commits } from '../write/commits.ts';
import type { BatchPart } from '../write/committer.ts';
import type { Writes } from '../write/writes.ts';

/** @param hidden gets those that are being staged: their members are not there for readers */
export function keptBatches(
  db: DatabaseSync,
  hidden: Set<string>,
  reading: Reading,
  commits: Commits,
  writes: Writes,
): KeptBatches {
  const batches = new BatchReader(db);

  function commitPart(batch: Batch, entries: readonly CommitEntry[], part: BatchPart): Promise<BatchResult> {
    return commits.encoded(entries, (encoded) => {
      const { floor } = writes;
      const request = { kind: 'commitBatch', batch, entries: encoded, part, floor } as const;
      return writes.send('cannot commit a batch', request);
    });
  }

  async function drop(batchId: string): Promise<void> {
    while (!(await writes.send('cannot drop a batch', { kind: 'dropBatch', batchId })));
  }

  return {
    async admitBatch(batch, entries) {
      for (const entry of entries) assertNumbered(entry);
      if (commits.lowSpace) return { ok: false, conflict: 'space' };
      const parts = batchParts(entries);
      const positions: number[] = [];
      const isStaged = parts.length > 1;
      if (isStaged) hidden.add(batch.batchId);
      try {
        for (const [index, part] of parts.entries()) {
          const result = await commitPart(batch, part, {
            isFirst: index === 0,
            isLast: index === parts.length - 1,
          });
          if (!result.ok) {
            if (index > 0) await drop(batch.batchId);
            return result;
          }
          positions.push(...result.positions);
        }
        return { ok: true, positions };
      } catch (error) {
        if (isStaged) await drop(batch.batchId).catch(() => undefined);
        throw error;
      } finally {
        hidden.delete(batch.batchId);
      }
    },
    superviseBatch(before, batch, entries, endings) {
      for (const entry of entries) assertNumbered(entry);
      return commits.encoded(entries, (encoded) => {
        const { floor } = writes;
        const request = { kind: 'superviseBatch', before, batch, entries: encoded, endings, floor } as const;
        return writes.send('cannot commit a batch', request);
      });
    },
    saveBatch: (batch) => writes.send('cannot save a batch', { kind: 'saveBatch', batch }),
    batch: (batchId) => reading.one('cannot read a batch', () => batches.one(batchId)),
    batchByInvocation: async (tenant, invocationId) =>
      reading.now('cannot read a batch', () => batches.byInvocation(tenant, invocationId)),
    batches: (tenant, beforeId, limit) =>
      reading.list('cannot list batches', () => batches.list(tenant, beforeId, limit)),
    unfinishedBatches: async () => reading.now('cannot list batches', () => batches.unfinished()),
    batchMembers: (batchId, query) =>
      reading.list('cannot read a batch', () => batches.members(batchId, query)),
    batchEndings: (batchId, from, limit) =>
      reading.list('cannot read a batch', () => batches.endings(batchId, from, limit)),
  };
}
