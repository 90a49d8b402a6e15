import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from '../../artifacts.ts';
import { nodeIdFile } from '../../node-id.ts';
import { StoreError } from '../../store.ts';
import { DataDirError, unusable } from './data-dir-error.ts';
import { isBusy } from './failure.ts';
import { assertNothingLost } from './high-water.ts';
import { closeDatabase, closeToOthers } from './private-folder.ts';

/** A data folder that is this process's until `release`. */
export interface DataFolder {
  release(): void;
}

/**
 * Makes the folder where needed, closes it to other users and locks it. The lock is a transaction on a database of its own that is
 * never written: it ends with the process however that ends, and `spear.db` stays open to check and backup.
 * Nothing else may open `lock.db` in this process: closing any descriptor of it would drop the POSIX lock.
 */
export async function claimFolder(dataDir: string): Promise<DataFolder> {
  try {
    await makeFolder(dataDir);
    closeToOthers(dataDir);
  } catch (cause) {
    if (cause instanceof DataDirError) throw cause;
    throw unusable(dataDir, cause);
  }
  let lock: DatabaseSync | undefined;
  const path = join(dataDir, 'lock.db');
  const made = !existsSync(path);
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    closeDatabase(dataDir);
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) {
      throw new DataDirError(`the data folder ${dataDir} is in use by another server`, { cause });
    }
    throw unusable(dataDir, cause);
  }
  const held = lock;
  if (made && isOpenElsewhere(dataDir)) {
    held.close();
    rmSync(path, { force: true });
    throw new DataDirError(
      `the data folder ${dataDir} is in use: ${path} was deleted, and another program has its spear.db open`,
    );
  }
  return { release: () => held.close() };
}

/**
 * Whether another process has the database open. In WAL mode each has a lock on it for as long, which only who wants
 * it alone is told of: a check or a backup would be in the way, so it is asked only where the lock of the folder is gone.
 */
function isOpenElsewhere(dataDir: string): boolean {
  const path = join(dataDir, 'spear.db');
  if (!statSync(path, { throwIfNoEntry: false })?.size) return false;
  let db: DatabaseSync | undefined;
  try {
    // What is lost of it is to be found out first: closing this writes the log into the database.
    assertNothingLost(dataDir);
    db = new DatabaseSync(path, { timeout: 1000 });
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    // Whatever else is wrong is told by whoever opens it next.
    return isBusy(error);
  } finally {
    db?.close();
  }
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
