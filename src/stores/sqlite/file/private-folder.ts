import { chmodSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { nodeIdFile } from '../../node-id.ts';
import { DataDirError } from './data-dir-error.ts';

/** Those that SQLite makes, which asks the umask; all others are made for the node's user alone. */
const databaseFiles = ['spear.db', 'spear.db-wal', 'spear.db-shm', 'lock.db'] as const;
/** What tells a folder that a node has used, also where its first start was ended early. */
const ofNode: readonly string[] = [...databaseFiles, nodeIdFile];
/** A file system that is mounted as the folder has it. */
const ofFileSystem = 'lost+found';

const others = 0o077;
/** Everybody's, also where nothing is in them; other programs would miss them. */
const everybodys: readonly string[] = ['/', '/tmp', '/var/tmp', '/dev/shm', '/run/lock', '/run', '/home'];

/**
 * Makes what is in the data folder the node's user's alone, who has to own it: processes that a node starts run as
 * other users. Throws DataDirError where it is another's, or has things that are no node's and that others may see.
 */
export function closeToOthers(dataDir: string): void {
  const { uid, mode } = statSync(dataDir);
  const user = process.geteuid?.() ?? uid;
  if (uid !== user) {
    throw new DataDirError(
      `the data folder ${dataDir} belongs to the user ${uid}, and this runs as the user ${user}; allowed is a folder that its own user owns`,
    );
  }
  if ((mode & others) !== 0) {
    const names = readdirSync(dataDir).filter((name) => name !== ofFileSystem);
    const isOurs = names.length === 0 || names.some((name) => ofNode.includes(name));
    if (!isOurs || everybodys.includes(realpathSync(dataDir))) {
      const shown = (mode & 0o7777).toString(8).padStart(4, '0');
      throw new DataDirError(
        `the data folder ${dataDir} of the user ${uid} is open to others (mode ${shown}) and may be for more than this server; allowed are a folder that is empty or a server's, and one with mode 0700`,
      );
    }
    setMode(dataDir, 0o700);
  }
  closeDatabase(dataDir);
}

/** As above, for the files of the database that are there. None is opened: that would drop the lock on one. */
export function closeDatabase(dataDir: string): void {
  for (const name of databaseFiles) {
    const path = join(dataDir, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() === true && (stat.mode & others) !== 0) setMode(path, 0o600);
  }
}

/** Where nothing can be written, nothing of a node will be: what it was about to write says so. */
function setMode(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EROFS')) throw error;
  }
}
