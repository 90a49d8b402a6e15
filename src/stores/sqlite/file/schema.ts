import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../store.ts';
import { sumAll } from './checksum-migration.ts';

/** Migration i leads from `user_version` i to i + 1. What has been released is never edited. */
export const migrations = [
  `
  -- One row for each entry of a commit. Event i of a row has position + i and first_sequence + i.
  -- The newest row is never deleted: the next position is counted from it.
  CREATE TABLE segments (
    position INTEGER PRIMARY KEY,
    execution_id TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    meta TEXT NOT NULL,
    data BLOB
  ) STRICT;
  CREATE UNIQUE INDEX segments_by_sequence ON segments (execution_id, first_sequence);

  CREATE TABLE executions (
    execution_id TEXT NOT NULL UNIQUE,
    task_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    record TEXT NOT NULL
  ) STRICT;
  CREATE INDEX executions_by_task ON executions (task_id, execution_id);
  -- Most executions are completed, and a scan by id finds those soon.
  CREATE INDEX executions_by_status ON executions (status, execution_id) WHERE status <> 'completed';

  CREATE TABLE claims (
    invocation_id TEXT NOT NULL PRIMARY KEY,
    execution_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- Each part is in its row, or in blobs/ under its digest.
  CREATE TABLE inputs (
    execution_id TEXT NOT NULL PRIMARY KEY,
    invocation TEXT,
    invocation_sha256 TEXT,
    input BLOB,
    input_sha256 TEXT
  ) STRICT;

  CREATE TABLE snapshots (
    execution_id TEXT NOT NULL PRIMARY KEY,
    snapshot TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tasks (
    task_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    task TEXT NOT NULL,
    PRIMARY KEY (task_id, revision)
  ) STRICT;
  -- A deleted task is one without a name.
  CREATE TABLE task_names (
    name TEXT NOT NULL PRIMARY KEY,
    task_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_names_by_task ON task_names (task_id);
  `,
  `
  -- A machine is made again from the transitions in its log.
  DROP TABLE snapshots;

  -- The next position is this, or the one after the newest segment, whichever is larger: any segment may be deleted.
  CREATE TABLE position_floor (next INTEGER NOT NULL) STRICT;
  INSERT INTO position_floor (next) VALUES (1);

  -- Logs that come from elsewhere and have no record yet.
  CREATE TABLE staged (execution_id TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE INDEX claims_by_execution ON claims (execution_id);
  CREATE INDEX inputs_by_file ON inputs (input_sha256) WHERE input_sha256 IS NOT NULL;
  CREATE INDEX inputs_by_invocation_file ON inputs (invocation_sha256) WHERE invocation_sha256 IS NOT NULL;

  ALTER TABLE executions ADD COLUMN task_revision INTEGER NOT NULL DEFAULT 0;
  UPDATE executions SET task_revision = record ->> '$.taskRevision' WHERE json_valid(record);
  DROP INDEX executions_by_task;
  -- The revision is there so that who asks whether it is in use reads the index only.
  CREATE INDEX executions_by_task ON executions (task_id, execution_id, task_revision);

  ALTER TABLE tasks ADD COLUMN artifact TEXT
    AS (CASE WHEN json_valid(task) THEN task ->> '$.definition.artifact.sha256' END) VIRTUAL;
  CREATE INDEX tasks_by_artifact ON tasks (artifact);
  `,
  `
  -- Each row gets a checksum. What is large stands last in its row, so that who needs the rest need not read past it;
  -- the rows are moved over by \`sumAll\`.
  ALTER TABLE segments RENAME TO segments_to_sum;
  DROP INDEX segments_by_sequence;
  CREATE TABLE segments (
    position INTEGER PRIMARY KEY,
    execution_id TEXT NOT NULL,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    data_checksum INTEGER NOT NULL,
    meta TEXT NOT NULL,
    data BLOB
  ) STRICT;
  CREATE UNIQUE INDEX segments_by_sequence ON segments (execution_id, first_sequence);

  ALTER TABLE executions ADD COLUMN checksum INTEGER;
  ALTER TABLE claims ADD COLUMN checksum INTEGER;
  ALTER TABLE inputs ADD COLUMN checksum INTEGER;
  ALTER TABLE tasks ADD COLUMN checksum INTEGER;
  ALTER TABLE task_names ADD COLUMN checksum INTEGER;
  ALTER TABLE staged ADD COLUMN checksum INTEGER;
  ALTER TABLE position_floor ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE position_floor ADD COLUMN checksum INTEGER;
  `,
  // In transactions of its own: a crash costs the last of them only.
  sumAll,
  `
  -- What is listed by its labels, a row for each label. The record or the task has them, too, and is held against the
  -- row, which therefore needs no checksum.
  CREATE TABLE execution_labels (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (key, value, execution_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE task_labels (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    name TEXT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (key, value, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX task_labels_by_task ON task_labels (task_id);
  `,
  `
  -- Tenants: what was there before is the default one's. Its rows keep the checksums that they have, see checksum.ts.
  ALTER TABLE executions ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
  -- The task is there so that who counts those of some tasks reads the index only.
  CREATE INDEX executions_by_tenant ON executions (tenant, execution_id, task_id);
  CREATE INDEX executions_by_tenant_status ON executions (tenant, status, execution_id, task_id)
    WHERE status <> 'completed';

  ALTER TABLE claims RENAME TO claims_before;
  DROP INDEX claims_by_execution;
  CREATE TABLE claims (
    tenant TEXT NOT NULL,
    invocation_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    checksum INTEGER,
    PRIMARY KEY (tenant, invocation_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO claims SELECT 'default', invocation_id, execution_id, checksum FROM claims_before;
  DROP TABLE claims_before;
  CREATE INDEX claims_by_execution ON claims (execution_id);

  ALTER TABLE task_names RENAME TO task_names_before;
  DROP INDEX task_names_by_task;
  CREATE TABLE task_names (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    task_id TEXT NOT NULL,
    checksum INTEGER,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO task_names SELECT 'default', name, task_id, checksum FROM task_names_before;
  DROP TABLE task_names_before;
  CREATE INDEX task_names_by_task ON task_names (task_id);

  ALTER TABLE execution_labels RENAME TO execution_labels_before;
  CREATE TABLE execution_labels (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    PRIMARY KEY (tenant, key, value, execution_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO execution_labels SELECT 'default', key, value, execution_id FROM execution_labels_before;
  DROP TABLE execution_labels_before;

  ALTER TABLE task_labels RENAME TO task_labels_before;
  DROP INDEX task_labels_by_task;
  CREATE TABLE task_labels (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    name TEXT NOT NULL,
    task_id TEXT NOT NULL,
    PRIMARY KEY (tenant, key, value, name)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO task_labels SELECT 'default', key, value, name, task_id FROM task_labels_before;
  DROP TABLE task_labels_before;
  CREATE INDEX task_labels_by_task ON task_labels (task_id);

  -- Whose artifacts are whose follows from whose tasks run them.
  ALTER TABLE tasks ADD COLUMN tenant TEXT
    AS (CASE WHEN json_valid(task) THEN coalesce(task ->> '$.tenant', 'default') END) VIRTUAL;
  `,
  `
  -- What waits for a slot is found by its line, in the order in which it came; '' is the line of all else that is
  -- pending, by id. What was there before is taken up as it was. Its rows keep their checksums, see checksum.ts.
  ALTER TABLE executions ADD COLUMN line TEXT;
  ALTER TABLE executions ADD COLUMN waits_since REAL;
  ALTER TABLE executions ADD COLUMN wakes_at REAL;
  UPDATE executions SET line = '', waits_since = 0 WHERE status = 'pending' AND status <> 'completed';
  CREATE INDEX executions_waiting ON executions (line, waits_since, execution_id) WHERE line IS NOT NULL;
  CREATE INDEX executions_waking ON executions (wakes_at, execution_id) WHERE wakes_at IS NOT NULL;

  CREATE TABLE quotas (tenant TEXT NOT NULL PRIMARY KEY, quota TEXT NOT NULL, checksum INTEGER) STRICT;
  `,
  `
  -- What the order of runs remembers: what each node of its tree has used, and when the bucket of each rate is full.
  CREATE TABLE order_nodes (node TEXT NOT NULL PRIMARY KEY, use TEXT NOT NULL, checksum INTEGER)
    STRICT, WITHOUT ROWID;
  CREATE TABLE rates (meter TEXT NOT NULL PRIMARY KEY, full_at REAL NOT NULL, checksum INTEGER)
    STRICT, WITHOUT ROWID;
  CREATE INDEX rates_by_instant ON rates (full_at);
  -- The row without a name says when those that have none were empty; an instant below 0, that nobody knows it.
  INSERT INTO rates (meter, full_at) SELECT '', -1 WHERE EXISTS (SELECT 1 FROM executions);
  `,
  `
  -- What makes executions or follows from them, as its owner writes it: a row each, found by its key or when it is due.
  CREATE TABLE side_rows (
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    due_at REAL,
    checksum INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, tenant, key)
  ) STRICT;
  CREATE INDEX side_rows_due ON side_rows (kind, due_at, tenant, key) WHERE due_at IS NOT NULL;
  `,
  `
  -- Names for revisions of tasks.
  CREATE TABLE task_aliases (
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    checksum INTEGER,
    PRIMARY KEY (task_id, name)
  ) STRICT, WITHOUT ROWID;
  -- The revisions that an alias names or has named in the moves that it remembers. The alias has them, too, and is held
  -- against the rows, which therefore need no checksum.
  CREATE TABLE alias_revisions (
    task_id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (task_id, revision, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Who follows whom, until who follows is deleted, and the ends that it fails for; active until it has ended. And who
  -- waits for that. Records say the same, so that these rows need no checksum.
  CREATE TABLE dependencies (
    dependency_id TEXT NOT NULL,
    dependant_id TEXT NOT NULL,
    fails_for TEXT NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (dependency_id, dependant_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dependencies_active ON dependencies (dependency_id) WHERE active = 1;
  CREATE INDEX dependencies_by_dependant ON dependencies (dependant_id);
  CREATE TABLE blocked (
    execution_id TEXT NOT NULL PRIMARY KEY,
    open INTEGER NOT NULL,
    failed_by TEXT,
    released INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blocked_released ON blocked (execution_id) WHERE released = 1;
  `,
  `
  -- Batches; a staged one is not there yet. The members say how they ended, also when their records are gone.
  ALTER TABLE executions ADD COLUMN batch_id TEXT;
  CREATE INDEX executions_by_batch ON executions (batch_id, status, execution_id) WHERE batch_id IS NOT NULL;
  CREATE TABLE batches (
    batch_id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    invocation_id TEXT,
    members INTEGER NOT NULL,
    staged INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    timed_out INTEGER NOT NULL DEFAULT 0,
    completed_at REAL,
    batch TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX batches_by_invocation ON batches (tenant, invocation_id) WHERE invocation_id IS NOT NULL;
  CREATE INDEX batches_by_tenant ON batches (tenant, batch_id);
  CREATE INDEX batches_unfinished ON batches (batch_id) WHERE completed_at IS NULL;
  CREATE INDEX batches_by_end ON batches (completed_at) WHERE completed_at IS NOT NULL;
  CREATE INDEX batches_staged ON batches (batch_id) WHERE staged = 1;
  CREATE TABLE batch_members (
    batch_id TEXT NOT NULL,
    member INTEGER NOT NULL,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    layer INTEGER NOT NULL,
    follows TEXT NOT NULL,
    status TEXT,
    error_code TEXT,
    ended_at REAL,
    sequence INTEGER,
    PRIMARY KEY (batch_id, member)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX batch_endings ON batch_members (batch_id, sequence) WHERE sequence IS NOT NULL;
  `,
  `
  -- A log that was written whole in one row needs no index: its execution says where it is. The logs of before stay in it.
  ALTER TABLE segments ADD COLUMN single INTEGER;
  ALTER TABLE executions ADD COLUMN log_position INTEGER;
  DROP INDEX segments_by_sequence;
  CREATE UNIQUE INDEX segments_by_sequence ON segments (execution_id, first_sequence) WHERE single IS NULL;
  `,
] as const satisfies readonly (string | Migration)[];

/** The version that this program writes. */
export const schemaVersion = migrations.length;

/** Throws what SQLite throws; a start after a crash runs it again. */
type Migration = (db: DatabaseSync, progress: MigrationProgress) => void;

/** Hears, a few times, how far a migration that takes long has come; `rows` is how many are done. */
export type MigrationProgress = (rows: number, total: number) => void;

/** Brings the database to this program's version. Throws StoreError where a newer program wrote it. */
export function migrate(db: DatabaseSync, progress: MigrationProgress): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  if (version > schemaVersion) {
    throw new StoreError(
      `the store was written by a newer Spear: its schema is version ${version}, this one knows up to ${schemaVersion}`,
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    if (typeof step === 'string') {
      db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT;`);
    } else {
      step(db, progress);
      db.exec(`PRAGMA user_version = ${index + 1}`);
    }
  }
}
