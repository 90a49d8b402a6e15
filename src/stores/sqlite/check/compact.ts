import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { guardOpening } from '../file/failure.ts';
import { claimFolder } from '../file/folder.ts';
import { assertNothingLost } from '../file/high-water.ts';
import { settings } from '../file/settings.ts';
import { databasePath } from '../read/read-only.ts';

export interface CompactReport {
  /** Of the database and its write-ahead log, in bytes. */
  readonly before: number;
  readonly after: number;
}

/**
 * Writes the database anew without the room that deleted executions left; it needs as much free space meanwhile.
 * Rejects with DataDirError where a server uses the folder, and with StoreError.
 */
export async function compactDataDir(dataDir: string): Promise<CompactReport> {
  const path = databasePath(dataDir);
  const folder = await claimFolder(dataDir);
  try {
    assertNothingLost(dataDir);
    const before = await sizeOf(path);
    const db = guardOpening(path, () => new DatabaseSync(path));
    try {
      const compact = (): void => {
        db.exec(settings);
        db.exec('VACUUM');
        db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      };
      guardOpening(path, compact, `cannot compact ${path}`);
    } finally {
      db.close();
    }
    return { before, after: await sizeOf(path) };
  } finally {
    folder.release();
  }
}

async function sizeOf(path: string): Promise<number> {
  const sizes = [path, `${path}-wal`].map(
    async (file) => (await stat(file).catch(() => undefined))?.size ?? 0,
  );
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}
