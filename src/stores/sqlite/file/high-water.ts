/**
 * How far the store has come, in a file beside the database. SQLite takes a lost log for an empty one, and an older one
 * for its own: what was acknowledged since the last checkpoint would be gone without a word.
 *
 * - It is written after a commit and before anyone hears of it, by the thread that committed, and never waited for:
 *   what the system has of it outlives the process. So the database is never behind it, whatever crashes.
 * - It is brought to the disk with each checkpoint: after a loss of power it may say less than there was, never more.
 */
import { closeSync, constants, fdatasyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../store.ts';
import { checksumOf } from './checksum.ts';
import { isSqliteError } from './failure.ts';
import { type Progress, progressOf } from './positions.ts';

/** In the data folder. */
export const highWaterFile = 'high-water';

/** All in one sector, which is written whole or not at all. */
const length = 64;

export class HighWater {
  readonly #file: number;

  /** Throws what `fs.openSync` throws. */
  constructor(dataDir: string) {
    this.#file = openSync(join(dataDir, highWaterFile), constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** Never throws: a disk that does not take it takes no commit either, and says so then. */
  write({ next, changes }: Progress): void {
    const text = `${next} ${changes} ${checksumOf(highWaterFile, next, changes)}`;
    try {
      writeSync(this.#file, `${text.padEnd(length - 1)}\n`, 0);
    } catch {
      // It says less than there is, which is no harm.
    }
  }

  /** Brings it to the disk. Never throws. */
  sync(): void {
    try {
      fdatasyncSync(this.#file);
    } catch {
      // As above.
    }
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** What the file says; undefined where there is none, and `damaged` where it does not make sense. */
export function readHighWater(dataDir: string): Progress | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(join(dataDir, highWaterFile), 'utf8');
  } catch {
    // A folder of an older program has none; one that cannot be read says as much.
    return undefined;
  }
  const [next = NaN, changes = NaN, checksum] = text.trim().split(' ').map(Number);
  return checksum === checksumOf(highWaterFile, next, changes) ? { next, changes } : 'damaged';
}

/** What is missing of what was acknowledged, in words for people; undefined where nothing is. */
export function lossOf(dataDir: string, reached: Progress, found: Progress): string | undefined {
  if (found.next >= reached.next && found.changes >= reached.changes) return undefined;
  const path = join(dataDir, 'spear.db');
  const ends = `event ${found.next - 1} and change ${found.changes}`;
  const was = `event ${reached.next - 1} and change ${reached.changes}`;
  return `${path} ends with ${ends}, and ${was} were acknowledged: ${path}-wal was lost, or replaced by an older one. Put it back; to go on without what is missing, or with a backup that was put here, remove ${join(dataDir, highWaterFile)}`;
}

/**
 * Throws StoreError where the database has less than was acknowledged. Nothing is written, so that what is missing can
 * still be put back. What cannot be read here is told by whoever opens it next.
 */
export function assertNothingLost(dataDir: string): void {
  const path = join(dataDir, 'spear.db');
  const reached = readHighWater(dataDir);
  if (reached === undefined || reached === 'damaged' || !statSync(path, { throwIfNoEntry: false })?.size)
    return;
  let loss: string | undefined;
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      loss = lossOf(dataDir, reached, reachedBy(db));
    } finally {
      db.close();
    }
  } catch (error) {
    if (isSqliteError(error)) return;
    throw error;
  }
  if (loss !== undefined) throw new StoreError(loss);
}

/** Also of a database that an older program wrote, or whose first log was lost with all that it was to have. */
function reachedBy(db: DatabaseSync): Progress {
  const known = "SELECT 1 FROM pragma_table_info('position_floor') WHERE name = 'changes'";
  return db.prepare(known).get() === undefined ? { next: 1, changes: 0 } : progressOf(db);
}
