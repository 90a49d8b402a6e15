import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { hasLabels, type Labels } from '../../../domain/labels.ts';
import { type Scope, seesTask, tenantOf } from '../../../domain/scope.ts';
import type { Task } from '../../../domain/task.ts';
import { DamagedError } from '../../store.ts';
import { nameChecksum, taskChecksum } from '../file/checksum.ts';
import { inTransaction } from '../write/transaction.ts';
import { assertName, type Row, taskOf, wholeOf } from './row.ts';

export interface TaskRevision {
  readonly taskId: string;
  readonly revision: number;
}

/** Revisions of a task with a name that are kept for their own sake, the newest ones. */
const keptRevisions = 10;

const newest = 'revision = (SELECT max(revision) FROM tasks AS t WHERE t.task_id = tasks.task_id)';
const namedColumns =
  'tasks.task_id, revision, task, tasks.checksum, task_names.tenant, task_names.name, task_names.checksum AS name_checksum';

/** Reads and writes tasks: all revisions, and who has which name. */
export class Tasks {
  readonly #db: DatabaseSync;
  readonly #saveRevision: StatementSync;
  readonly #takeName: StatementSync;
  readonly #freeNames: StatementSync;
  readonly #byName: StatementSync;
  readonly #byId: StatementSync;
  readonly #revision: StatementSync;
  readonly #ownerOf: StatementSync;
  readonly #nameOf: StatementSync;
  readonly #takeLabel: StatementSync;
  readonly #freeLabels: StatementSync;
  readonly #spare: StatementSync;
  readonly #inUse: StatementSync;
  readonly #deleteRevision: StatementSync;
  readonly #dropRevision: StatementSync;
  readonly #revisions: StatementSync;
  readonly #forgetAliases: readonly StatementSync[];
  readonly #artifact: StatementSync;
  readonly #named: StatementSync;
  readonly #namedOf: StatementSync;
  readonly #namesOf: StatementSync;
  readonly #tenants: StatementSync;
  readonly #artifactOf: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#saveRevision = db.prepare(
      `INSERT INTO tasks (task_id, revision, task, checksum) VALUES (?, ?, ?, ?)
       ON CONFLICT (task_id, revision) DO UPDATE SET task = excluded.task, checksum = excluded.checksum`,
    );
    this.#takeName = db.prepare(
      `INSERT INTO task_names (tenant, name, task_id, checksum) VALUES (?, ?, ?, ?)
       ON CONFLICT (tenant, name) DO UPDATE SET task_id = excluded.task_id, checksum = excluded.checksum`,
    );
    this.#freeNames = db.prepare('DELETE FROM task_names WHERE task_id = ?');
    const named = `SELECT ${namedColumns} FROM task_names JOIN tasks USING (task_id)`;
    const columns = 'task_id, revision, task, checksum';
    this.#byName = db.prepare(`${named} WHERE task_names.tenant = ? AND name = ? AND ${newest}`);
    this.#byId = db.prepare(`SELECT ${columns} FROM tasks WHERE task_id = ? ORDER BY revision DESC LIMIT 1`);
    this.#revision = db.prepare(`SELECT ${columns} FROM tasks WHERE task_id = ? AND revision = ?`);
    this.#ownerOf = db.prepare('SELECT task_id FROM task_names WHERE tenant = ? AND name = ?');
    this.#nameOf = db.prepare('SELECT name FROM task_names WHERE task_id = ?');
    this.#takeLabel = db.prepare(
      'INSERT INTO task_labels (tenant, key, value, name, task_id) VALUES (?, ?, ?, ?, ?)',
    );
    this.#freeLabels = db.prepare('DELETE FROM task_labels WHERE task_id = ?');
    const later = 'SELECT 1 FROM tasks AS t WHERE t.task_id = tasks.task_id AND t.revision > tasks.revision';
    const unwanted = `(NOT EXISTS (SELECT 1 FROM task_names WHERE task_names.task_id = tasks.task_id)
      OR ((SELECT count(*) FROM (${later} LIMIT ${keptRevisions})) = ${keptRevisions}
        AND NOT EXISTS (SELECT 1 FROM alias_revisions AS a
          WHERE a.task_id = tasks.task_id AND a.revision = tasks.revision)))`;
    const used = 'SELECT 1 FROM executions WHERE task_id = ?1 AND task_revision = ?2';
    this.#spare = db.prepare(`SELECT task_id, revision FROM tasks WHERE ${unwanted}`);
    this.#inUse = db.prepare(`${used} LIMIT 1`);
    this.#deleteRevision = db.prepare(
      `DELETE FROM tasks WHERE task_id = ?1 AND revision = ?2 AND ${unwanted} AND NOT EXISTS (${used})`,
    );
    this.#dropRevision = db.prepare(
      `DELETE FROM tasks WHERE task_id = ?1 AND revision = ?2 AND EXISTS (${later}) AND NOT EXISTS (${used})`,
    );
    this.#revisions = db.prepare(
      `SELECT ${columns} FROM tasks WHERE task_id = ? AND revision < ? ORDER BY revision DESC LIMIT ?`,
    );
    this.#forgetAliases = ['task_aliases', 'alias_revisions'].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE task_id = ?`),
    );
    this.#artifact = db.prepare('SELECT 1 FROM tasks WHERE artifact = ? LIMIT 1');
    this.#named = db.prepare('SELECT count(*) AS count FROM task_names');
    this.#namedOf = db.prepare('SELECT count(*) AS count FROM task_names WHERE tenant = ?');
    this.#namesOf = db.prepare('SELECT name FROM task_names WHERE tenant = ?');
    this.#tenants = db.prepare('SELECT DISTINCT tenant FROM task_names ORDER BY tenant');
    this.#artifactOf = db.prepare('SELECT 1 FROM tasks WHERE artifact = ? AND tenant = ? LIMIT 1');
  }

  /** How many tasks in the scope have a name. */
  named(scope: Scope): number {
    const { tenant, tasks } = scope;
    if (tasks !== undefined && tenant !== undefined) {
      return this.#namesOf.all(tenant).filter(({ name }) => seesTask(scope, { tenant }, String(name))).length;
    }
    return Number((tenant === undefined ? this.#named.get() : this.#namedOf.get(tenant))?.count);
  }

  /** The tenants that have a task with a name. */
  tenants(): string[] {
    return this.#tenants.all().map((row) => String(row.tenant));
  }

  save(task: Task): void {
    inTransaction(this.#db, () => {
      this.saveRevision(task);
      this.#freeNames.run(task.taskId);
      const { name } = task.definition;
      const tenant = tenantOf(task);
      const before = this.#ownerOf.get(tenant, name)?.task_id as string | undefined;
      this.#takeName.run(tenant, name, task.taskId, nameChecksum(tenant, name, task.taskId));
      if (before !== undefined) this.#label(before);
      this.#label(task.taskId);
    });
  }

  /** Without a name. */
  saveRevision(task: Task): void {
    const { taskId, revision } = task;
    const json = JSON.stringify(task);
    inTransaction(this.#db, () => {
      this.#saveRevision.run(taskId, revision, json, taskChecksum(taskId, revision, json));
      this.#label(taskId);
    });
  }

  delete(taskId: string): void {
    inTransaction(this.#db, () => {
      this.#freeNames.run(taskId);
      this.#label(taskId);
      for (const statement of this.#forgetAliases) statement.run(taskId);
    });
  }

  /** It is listed by the labels of its newest revision, while it has a name. */
  #label(taskId: string): void {
    this.#freeLabels.run(taskId);
    const name = this.#nameOf.get(taskId)?.name as string | undefined;
    const newestRow = this.#byId.get(taskId);
    if (name === undefined || newestRow === undefined) return;
    const [task] = wholeOf([newestRow], taskOf);
    if (task === undefined) return;
    for (const [key, value] of Object.entries(task.definition.labels ?? {})) {
      this.#takeLabel.run(tenantOf(task), key, value, name, taskId);
    }
  }

  /** Revisions that are too old to be kept for their own sake, and that no alias needs. */
  spareRevisions(): readonly TaskRevision[] {
    return this.#spare.all().map((row) => ({
      taskId: row.task_id as string,
      revision: row.revision as number,
    }));
  }

  isUsed({ taskId, revision }: TaskRevision): boolean {
    return this.#inUse.get(taskId, revision) !== undefined;
  }

  /** Deletes a revision that is not the newest and that no execution uses; false for any other. */
  dropRevision({ taskId, revision }: TaskRevision): boolean {
    return this.#dropRevision.run(taskId, revision).changes > 0;
  }

  /** The newest first, of those before `before`. */
  revisions(taskId: string, before: number, limit: number): Task[] {
    const tasks: Task[] = [];
    for (let from = before; ; ) {
      const left = Math.max(0, limit - tasks.length);
      const rows = this.#revisions.all(taskId, from, left);
      const whole = wholeOf(rows, taskOf);
      tasks.push(...whole);
      if (whole.length === rows.length || rows.length < left) return tasks;
      from = Number(rows.at(-1)?.revision);
    }
  }

  /** Deletes a revision that is spare and that no execution uses; false for any other. */
  deleteRevision({ taskId, revision }: TaskRevision): boolean {
    return this.#deleteRevision.run(taskId, revision).changes > 0;
  }

  /** Whether a revision of any task runs the artifact of that digest. */
  namesArtifact(sha256: string): boolean {
    return this.#artifact.get(sha256) !== undefined;
  }

  /** Whether a revision of any task of the tenant runs the artifact of that digest. */
  hasArtifact(tenant: string, sha256: string): boolean {
    return this.#artifactOf.get(sha256, tenant) !== undefined;
  }

  byName(tenant: string, name: string): Task | undefined {
    return whole(this.#byName.get(tenant, name), namedTask);
  }

  byId(taskId: string): Task | undefined {
    return whole(this.#byId.get(taskId), taskOf);
  }

  revision(taskId: string, revision: number): Task | undefined {
    return whole(this.#revision.get(taskId, revision), taskOf);
  }

  list(tenant: string, afterName: string, limit: number, labels: Labels = {}): Task[] {
    const tasks: Task[] = [];
    const { sql, values } = listing(Object.entries(labels));
    const list = this.#db.prepare(sql);
    // As many as are asked for, however many in between are damaged: fewer would be taken for the end.
    for (let after = afterName; ; ) {
      const left = Math.max(0, limit - tasks.length);
      const rows = list.all({ ...values, tenant, after, left });
      const whole = wholeOf(rows, (row) => labelledTask(row, labels));
      tasks.push(...whole);
      const last = String(rows.at(-1)?.name);
      if (whole.length === rows.length || rows.length < left || last <= after) return tasks;
      after = last;
    }
  }
}

/** Named tasks of a tenant in the order of their names; by the first label where there is one, so that only those are read. */
function listing(labels: readonly (readonly [string, string])[]): {
  readonly sql: string;
  readonly values: Readonly<Record<string, string>>;
} {
  const values: Record<string, string> = {};
  const tables = labels.map(([key, value], index) => {
    values[`key${index}`] = key;
    values[`value${index}`] = value;
    const label = `l${index}`;
    const on = `${label}.tenant = :tenant AND ${label}.key = :key${index} AND ${label}.value = :value${index}`;
    return { label, on };
  });
  const name = tables[0] === undefined ? 'task_names.name' : 'l0.name';
  const joins = [...tables.map(({ label }) => `task_labels AS ${label}`), 'task_names', 'tasks'];
  const conditions = [
    ...tables.flatMap(({ label, on }) => [on, `${label}.name = ${name}`]),
    'task_names.tenant = :tenant',
    `task_names.name = ${name}`,
    'tasks.task_id = task_names.task_id',
    `${name} > :after`,
    newest,
  ];
  const sql = `SELECT ${namedColumns} FROM ${joins.join(' CROSS JOIN ')}
    WHERE ${conditions.join(' AND ')} ORDER BY ${name} LIMIT :left`;
  return { sql, values };
}

/** Throws DamagedError also where the task does not have what it was found by. */
function labelledTask(row: Row, labels: Labels): Task {
  const task = namedTask(row);
  if (hasLabels(task.definition.labels, labels)) return task;
  throw new DamagedError(`what ${task.taskId} is listed by is damaged`);
}

function namedTask(row: Row): Task {
  assertName(row);
  return taskOf(row);
}

function whole(row: Row | undefined, read: (row: Row) => Task): Task | undefined {
  return row === undefined ? undefined : read(row);
}
