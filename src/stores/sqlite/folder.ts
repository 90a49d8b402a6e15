import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../artifacts.ts';
import { nodeIdFile } from '../node-id.ts';
import { StoreError } from '../store.ts';
import { isBusy } from './failure.ts';

/** The data folder cannot be this server's: another one uses it, or it cannot be made or written. */
export class DataDirError extends StoreError {
  override readonly name: string = 'DataDirError';
}

/** A data folder that is this process's until `release`. */
export interface DataFolder {
  release(): void;
}

/**
 * Makes the folder where needed and locks it. The lock is a transaction on a database of its own that is
 * never written: it ends with the process however that ends, and `spear.db` stays open to check and backup.
 * Nothing else may open `lock.db` in this process: closing any descriptor of it would drop the POSIX lock.
 */
export async function claimFolder(dataDir: string): Promise<DataFolder> {
  try {
    await makeFolder(dataDir);
  } catch (cause) {
    throw unusable(dataDir, cause);
  }
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(dataDir, 'lock.db'), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) {
      throw new DataDirError(`the data folder ${dataDir} is in use by another server`, { cause });
    }
    throw unusable(dataDir, cause);
  }
  const held = lock;
  return { release: () => held.close() };
}

/**
 * Throws StoreError where the database of a folder that a node has used is empty: SQLite would begin a new one there,
 * and delete the log beside it. In a folder of no node yet it is what a first start left that was ended early.
 */
export function assertNotEmptied(dataDir: string): void {
  const path = join(dataDir, 'spear.db');
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size !== 0 || !existsSync(join(dataDir, nodeIdFile))) return;
  throw new StoreError(
    `${path} is empty, though a node has used this folder: put a backup in its place, or move it away to start without it`,
  );
}

function unusable(dataDir: string, cause: unknown): DataDirError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DataDirError(`the data folder ${dataDir} cannot be made or written: ${why}`, { cause });
}
