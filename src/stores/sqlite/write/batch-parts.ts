import type { DatabaseSync } from 'node:sqlite';
import type { CommitEntry } from '../../store.ts';
import { BatchRows } from './batch-rows.ts';
import { inTransaction } from './transaction.ts';

/** Members of a part at most: a transaction of so many takes about 20 ms, for which others wait. */
const mostEntries = 400;
/** Bytes of inputs of a part. */
const mostBytes = 2 * 1024 * 1024;
/** What the members of a part follow: each is a look-up and a row. */
const mostDependencies = 2000;

/** Cuts a batch into parts that are written one after the other; at least one. */
export function batchParts(entries: readonly CommitEntry[]): (readonly CommitEntry[])[] {
  const parts: CommitEntry[][] = [[]];
  let bytes = 0;
  let dependencies = 0;
  for (const entry of entries) {
    bytes += entry.input?.input.byteLength ?? 0;
    dependencies += entry.record?.dependsOn?.length ?? 0;
    const last = parts.at(-1);
    const isFull =
      last === undefined ||
      last.length >= mostEntries ||
      (last.length > 0 && (bytes > mostBytes || dependencies > mostDependencies));
    if (!isFull) last.push(entry);
    else {
      parts.push([entry]);
      bytes = entry.input?.input.byteLength ?? 0;
      dependencies = entry.record?.dependsOn?.length ?? 0;
    }
  }
  return parts;
}

/** Deletes batches that an earlier run staged and did not show. */
export function dropStagedBatches(db: DatabaseSync): void {
  const batches = new BatchRows(db);
  for (const batchId of batches.leftovers()) {
    while (!inTransaction(db, () => batches.drop(batchId)));
  }
}
