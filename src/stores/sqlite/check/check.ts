/** Looks whether a data folder is whole, beside its server or without one. It changes nothing. */
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type ArtifactFiles, artifactFolder } from '../../artifacts.ts';
import { StoreError } from '../../store.ts';
import { guardSqlite } from '../file/failure.ts';
import { highWaterFile, lossOf, readHighWater } from '../file/high-water.ts';
import { progressOf } from '../file/positions.ts';
import { openReadOnly } from '../read/read-only.ts';
import { artifactNames, inputNames } from '../retention/named-files.ts';
import { checkLabels } from './check-labels.ts';
import { checkLogs } from './check-logs.ts';
import { checkRelations } from './check-relations.ts';
import { checkRows } from './check-rows.ts';

/** Something that is not as it should be. */
export interface Finding {
  /** An id, a file, or `database`. */
  readonly subject: string;
  readonly message: string;
}

export type Report = (subject: string, message: string) => void;

export interface Checked {
  executions: number;
  events: number;
  invocationIds: number;
  tasks: number;
  files: number;
}

export interface CheckReport {
  readonly checked: Readonly<Checked>;
  readonly findings: readonly Finding[];
}

/** Rejects with StoreError where there is no store, or one of another version. */
export async function checkDataDir(dataDir: string): Promise<CheckReport> {
  // Before the database, which a server may write meanwhile.
  const reached = readHighWater(dataDir);
  const db = openReadOnly(dataDir);
  const checked: Checked = { executions: 0, events: 0, invocationIds: 0, tasks: 0, files: 0 };
  const findings: Finding[] = [];
  const report: Report = (subject, message) => void findings.push({ subject, message });
  try {
    attempt(report, () => checkReached(db, dataDir, reached, report));
    for (const part of [
      checkPages,
      checkLogs,
      checkReferences,
      checkRelations,
      checkRows,
      checkTasks,
      checkLabels,
    ]) {
      attempt(report, () => part(db, checked, report));
    }
    await checkFiles(db, dataDir, checked, report);
    return { checked, findings };
  } finally {
    db.close();
  }
}

function checkReached(
  db: DatabaseSync,
  dataDir: string,
  reached: ReturnType<typeof readHighWater>,
  report: Report,
): void {
  if (reached === 'damaged') report(highWaterFile, 'it is damaged');
  else if (reached !== undefined) {
    const loss = lossOf(dataDir, reached, progressOf(db));
    if (loss !== undefined) report('database', loss);
  }
}

/** A damaged database lets some questions go unanswered; the others are asked all the same. */
function attempt(report: Report, part: () => void): void {
  try {
    guardSqlite('a part of it cannot be read', part);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    report('database', error.message);
  }
}

function checkPages(db: DatabaseSync, _checked: Checked, report: Report): void {
  for (const row of db.prepare('PRAGMA integrity_check').iterate()) {
    if (row.integrity_check !== 'ok') report('database', String(row.integrity_check));
  }
}

function checkReferences(db: DatabaseSync, checked: Checked, report: Report): void {
  checked.invocationIds = Number(db.prepare('SELECT count(*) AS count FROM claims').get()?.count);
  const lost = (table: string, more = ''): string =>
    `SELECT DISTINCT execution_id FROM ${table} AS t WHERE NOT EXISTS
       (SELECT 1 FROM executions WHERE executions.execution_id = t.execution_id) ${more}`;
  const notStaged = 'AND NOT EXISTS (SELECT 1 FROM staged WHERE staged.execution_id = t.execution_id)';
  for (const [sql, message] of [
    [lost('claims'), 'an invocation id belongs to it, and there is no such execution'],
    [lost('inputs'), 'there is an input for it, and no such execution'],
    [lost('segments', notStaged), 'there is a log of it, and no such execution'],
    [
      `SELECT execution_id FROM segments AS t WHERE single IS NOT NULL AND EXISTS
         (SELECT 1 FROM executions AS e WHERE e.execution_id = t.execution_id AND e.log_position IS NOT t.position)`,
      'there is a log of it that it does not lead to',
    ],
  ] as const) {
    for (const row of db.prepare(sql).iterate()) report(String(row.execution_id), message);
  }
}

function checkTasks(db: DatabaseSync, checked: Checked, report: Report): void {
  checked.tasks = Number(db.prepare('SELECT count(*) AS count FROM tasks').get()?.count);
  // What has ended may come from another node, without its task.
  const used = db.prepare(
    `SELECT DISTINCT task_id, task_revision FROM executions AS e WHERE NOT EXISTS
       (SELECT 1 FROM tasks WHERE tasks.task_id = e.task_id AND tasks.revision = e.task_revision)
     AND e.status IN ('pending', 'running')`,
  );
  for (const row of used.iterate()) {
    report(
      String(row.task_id),
      `unfinished executions need its revision ${row.task_revision}, which is not there`,
    );
  }
}

async function checkFiles(
  db: DatabaseSync,
  dataDir: string,
  checked: Checked,
  report: Report,
): Promise<void> {
  for (const [folder, names] of [
    ['blobs', inputNames],
    ['artifacts', artifactNames],
  ] as const) {
    const files = artifactFolder(join(dataDir, folder));
    let all: readonly string[] = [];
    attempt(report, () => {
      all = names(db);
    });
    for (const sha256 of all) {
      checked.files += 1;
      const why = await whyNot(files, sha256);
      // A server may have deleted it meanwhile, with the last row that named it.
      if (why !== undefined && names(db).includes(sha256)) report(`${folder}/${sha256}`, why);
    }
  }
}

async function whyNot(files: ArtifactFiles, sha256: string): Promise<string | undefined> {
  try {
    await files.load(sha256);
    return undefined;
  } catch (error) {
    if (error instanceof StoreError) return error.message;
    throw error;
  }
}
