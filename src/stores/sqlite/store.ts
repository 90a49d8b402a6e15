import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ArtifactFiles, openArtifacts } from '../artifacts.ts';
import { SpaceReserve } from '../space-reserve.ts';
import type { Store } from '../store.ts';
import { guardOpening, guardSqlite } from './file/failure.ts';
import { assertNotEmptied, claimFolder, type DataFolder } from './file/folder.ts';
import { assertNothingLost, HighWater } from './file/high-water.ts';
import { LockFile } from './file/lock-file.ts';
import { progressOf } from './file/positions.ts';
import { closeDatabase } from './file/private-folder.ts';
import { type MigrationProgress, migrate } from './file/schema.ts';
import { busyTimeoutMs, settings, shortBusyTimeoutMs } from './file/settings.ts';
import { keptBatches } from './port/batches.ts';
import { keptExecutions } from './port/executions.ts';
import { keptLines } from './port/lines.ts';
import { keptLogs } from './port/logs.ts';
import { keptRows } from './port/rows.ts';
import { keptShares } from './port/shares.ts';
import { keptTasks } from './port/tasks.ts';
import { Reading } from './read/reading.ts';
import { Tasks } from './read/tasks.ts';
import { Deletions } from './retention/deletions.ts';
import { Sweep } from './retention/sweep.ts';
import { dropStagedBatches } from './write/batch-parts.ts';
import { Commits } from './write/commits.ts';
import { Inputs } from './write/inputs.ts';
import { dropLeftovers } from './write/staging.ts';
import { Writer } from './write/writer.ts';
import { Writes } from './write/writes.ts';

interface SqliteStoreOptions {
  readonly dataDir: string;
  /** Bytes on the disk that are kept for when it is full; 16 MiB where nothing is said. */
  readonly reserveBytes?: number;
  readonly migrating?: MigrationProgress;
}

const defaultReserveBytes = 16 * 1024 * 1024;

/**
 * Opens the store of a data folder: `spear.db` and its WAL, `lock.db`, `high-water`, `ballast`, and `blobs/` for large
 * inputs.
 * Rejects with DataDirError where the folder is another server's or cannot be made or written, and with
 * StoreError where the database is damaged, was emptied, lacks what was acknowledged or was written by a newer Spear.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, reserveBytes = defaultReserveBytes, migrating = () => {} } = options;
  const folder = await claimFolder(dataDir);
  const path = join(dataDir, 'spear.db');
  let db: DatabaseSync | undefined;
  let highWater: HighWater | undefined;
  try {
    assertNotEmptied(dataDir);
    assertNothingLost(dataDir);
    const blobs = await openArtifacts(join(dataDir, 'blobs'));
    const reader = guardOpening(path, () => {
      db = new DatabaseSync(path, { timeout: busyTimeoutMs });
      // Before there is a log: SQLite gives that the mode of the database.
      closeDatabase(dataDir);
      db.exec(settings);
      migrate(db, migrating);
      dropLeftovers(db);
      dropStagedBatches(db);
      // The writer does it, so that no commit of this thread takes as long.
      db.exec('PRAGMA wal_autocheckpoint = 0');
      db.exec(`PRAGMA busy_timeout = ${shortBusyTimeoutMs}`);
      return db;
    });
    const writer = new Writer(path);
    await writer.ready();
    highWater = new HighWater(dataDir);
    highWater.write(progressOf(reader));
    const reserve = new SpaceReserve(join(dataDir, 'ballast'), reserveBytes);
    return storeOf({
      dataDir,
      folder,
      db: reader,
      writer,
      blobs,
      reserve,
      lockFile: new LockFile(path),
      highWater,
    });
  } catch (error) {
    db?.close();
    highWater?.close();
    folder.release();
    throw error;
  }
}

interface Opened {
  readonly dataDir: string;
  readonly folder: DataFolder;
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly blobs: ArtifactFiles;
  readonly reserve: SpaceReserve;
  readonly lockFile: LockFile;
  readonly highWater: HighWater;
}

/** The port, by what is kept (`port/`). It reads on a connection of the caller's thread; how it writes, `Writes` knows. */
function storeOf({ dataDir, folder, db, writer, blobs, reserve, lockFile, highWater }: Opened): Store {
  const reading = new Reading(db);
  const writes = new Writes(db, writer, reserve, lockFile, highWater);
  const inputs = new Inputs(db, blobs);
  const tasks = new Tasks(db);
  const commits = new Commits(db, writes, inputs, reserve);
  const sweep = new Sweep({
    dataDir,
    blobs,
    inputs,
    tasks,
    deleteRevision: (revision) =>
      writes.send('cannot delete a revision', { kind: 'deleteRevision', revision }),
  });
  const deletions = new Deletions({ reading, writes, inputs, blobs, reserve, sweep });
  const hidden = new Set<string>();
  return {
    ...keptExecutions({ db, hidden, inputs, tasks, blobFolder: join(dataDir, 'blobs') }, reading),
    ...keptLines(db, hidden, reading),
    ...keptLogs(db, hidden, reading, commits),
    ...keptBatches(db, hidden, reading, commits, writes),
    ...keptTasks(db, tasks, reading, writes),
    ...keptShares(db, reading, writes),
    ...keptRows(db, reading, writes),
    get lowSpace() {
      return commits.lowSpace;
    },
    commit: (entries) => commits.commit(entries),
    delete: (executionId) => deletions.delete(executionId),
    retain: (retention) => deletions.retain(retention),
    async close() {
      if (!db.isOpen) return;
      try {
        guardSqlite('cannot close the store', () => db.close());
        await writes.close();
      } finally {
        folder.release();
      }
    },
  };
}
