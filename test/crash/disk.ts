/** A data folder on a small disk of its own, and what can go wrong with it. */
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const roomy = 'size=1g';
const pageBytes = 4096;
const attempts = 5;
const lockWaitMs = 200;

export interface Disk {
  /** Leaves so many bytes free, or a few more; false where it is written too fast for that. */
  fill(free: number): Promise<boolean>;
  empty(): Promise<void>;
  remove(): Promise<void>;
}

/** Mounts a disk in memory on a folder; needs root. */
export async function mountDisk(folder: string): Promise<Disk> {
  await execute('mount', ['-t', 'tmpfs', '-o', roomy, 'spear-crash', folder]);
  const resize = (size: string) => execute('mount', ['-o', `remount,${size}`, folder]);
  return {
    async fill(free) {
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const { blocks, bfree, bsize } = await statfs(folder);
        // A disk cannot become smaller than what is on it, and that may grow in between.
        const slack = free + (attempt - 1) * 16 * pageBytes;
        const done = await resize(`size=${(blocks - bfree) * bsize + slack}`).then(
          () => true,
          () => false,
        );
        if (done) return true;
      }
      return false;
    },
    empty: async () => void (await resize(roomy)),
    remove: async () => void (await execute('umount', [folder])),
  };
}

/** Takes the database's only write lock, as another program could; undefined where it could not be had. */
export function lockDatabase(dataDir: string): (() => void) | undefined {
  const db = new DatabaseSync(join(dataDir, 'spear.db'), { timeout: lockWaitMs });
  try {
    db.exec('BEGIN IMMEDIATE');
  } catch {
    // It is always being written: then there is nothing to see this time.
    db.close();
    return undefined;
  }
  return () => {
    db.exec('ROLLBACK');
    db.close();
  };
}
