import { hasLabels, type Labels } from '../../../domain/labels.ts';
import type { TaskAlias } from '../../../domain/revisions/alias.ts';
import { type Scope, seesTask } from '../../../domain/scope.ts';
import type { Task } from '../../../domain/task.ts';
import type { StoredBytes } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { most, recordOf } from './records.ts';

/** Tasks that are looked at together for their labels. */
const namesAtOnce = 200;
const newest = 'revision = (SELECT max(revision) FROM tasks t WHERE t.task_id = tasks.task_id)';

export interface TaskRevision {
  readonly taskId: string;
  readonly revision: number;
}

/** Reads tasks: all revisions, and who has which name. */
export class Tasks {
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  async byName(tenant: string, name: string): Promise<Task | undefined> {
    return this.#one(
      `SELECT task FROM task_names JOIN tasks USING (task_id)
       WHERE task_names.tenant = $1 AND name = $2 AND ${newest}`,
      [tenant, name],
    );
  }

  async byId(taskId: string): Promise<Task | undefined> {
    return this.#one('SELECT task FROM tasks WHERE task_id = $1 ORDER BY revision DESC LIMIT 1', [taskId]);
  }

  async revision(taskId: string, revision: number): Promise<Task | undefined> {
    return this.#one('SELECT task FROM tasks WHERE task_id = $1 AND revision = $2', [taskId, revision]);
  }

  /** Labels are looked for in the tasks themselves: JSON functions of the engine refuse a NUL anywhere in a text. */
  async list(tenant: string, afterName: string, limit: number, labels: Labels = {}): Promise<Task[]> {
    const found: Task[] = [];
    for (let after = afterName; found.length < limit; ) {
      const wanted = Object.keys(labels).length === 0 ? limit - found.length : namesAtOnce;
      const rows = await this.#readers.read(
        'cannot list tasks',
        `SELECT name, task FROM task_names JOIN tasks USING (task_id)
         WHERE task_names.tenant = $1 AND name > $2 AND ${newest} ORDER BY name LIMIT $3`,
        [tenant, after, most(wanted)],
      );
      found.push(...rows.map(taskOf).filter(({ definition }) => hasLabels(definition.labels, labels)));
      if (rows.length < wanted) break;
      after = String(rows.at(-1)?.name);
    }
    return found.slice(0, Math.max(0, limit));
  }

  async tenants(): Promise<string[]> {
    const rows = await this.#readers.read(
      'cannot list tenants',
      'SELECT DISTINCT tenant FROM task_names ORDER BY tenant',
    );
    return rows.map((row) => String(row.tenant));
  }

  /** How many tasks in the scope have a name. */
  async named(scope: Scope): Promise<number> {
    const { tenant, tasks } = scope;
    const rows = await this.#readers.read(
      'cannot count',
      'SELECT name FROM task_names WHERE $1::text IS NULL OR tenant = $1',
      [tenant ?? null],
    );
    if (tasks === undefined || tenant === undefined) return rows.length;
    return rows.filter(({ name }) => seesTask(scope, { tenant }, String(name))).length;
  }

  async hasArtifact(tenant: string, sha256: string): Promise<boolean> {
    const rows = await this.#readers.read(
      'cannot read a task',
      'SELECT 1 AS found FROM tasks WHERE artifact = $1 AND tenant = $2 LIMIT 1',
      [sha256, tenant],
    );
    return rows.length > 0;
  }

  /** Revisions that nobody wants, and no execution has. */
  async unused(): Promise<TaskRevision[]> {
    const rows = await this.#readers.read(
      'cannot see what is in use',
      `SELECT task_id, revision FROM tasks WHERE is_spare(task_id, revision) AND NOT EXISTS (
         SELECT 1 FROM executions x WHERE x.task_id = tasks.task_id AND x.task_revision = tasks.revision)`,
    );
    return rows.map((row) => ({ taskId: String(row.task_id), revision: Number(row.revision) }));
  }

  async revisions(taskId: string, before: number, limit: number): Promise<Task[]> {
    const rows = await this.#readers.read(
      'cannot read a task',
      'SELECT task FROM tasks WHERE task_id = $1 AND revision < $2 ORDER BY revision DESC LIMIT $3',
      [taskId, most(before), most(limit)],
    );
    return rows.map(taskOf);
  }

  async aliases(taskId: string): Promise<TaskAlias[]> {
    const rows = await this.#readers.read(
      'cannot read the aliases of a task',
      'SELECT alias FROM task_aliases WHERE task_id = $1 ORDER BY name',
      [taskId],
    );
    return rows.map(({ alias }) => JSON.parse(String(alias)) as TaskAlias);
  }

  async storedBytes(tenant: string, afterId: string, limit: number): Promise<StoredBytes> {
    const rows = await this.#readers.read(
      'cannot count',
      `SELECT execution_id, record, coalesce(octet_length(i.invocation) + octet_length(i.input), 0) AS input_bytes
       FROM executions LEFT JOIN inputs i USING (execution_id)
       WHERE tenant = $1 AND execution_id > $2 AND record IS NOT NULL ORDER BY execution_id LIMIT $3`,
      [tenant, afterId, most(limit)],
    );
    const bytes = rows.reduce((sum, row) => {
      const { oldestSequence, outputBytes } = recordOf(row);
      const output = oldestSequence === undefined ? outputBytes : 0;
      return sum + Buffer.byteLength(String(row.record)) + Number(row.input_bytes) + output;
    }, 0);
    const last = rows.length < limit ? undefined : String(rows.at(-1)?.execution_id);
    return { bytes: bytes + (afterId === '' ? await this.#artifactBytes(tenant) : 0), last };
  }

  async #artifactBytes(tenant: string): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot count',
      `SELECT coalesce(sum(bytes), 0)::float8 AS bytes FROM (
         SELECT DISTINCT artifact, artifact_bytes AS bytes FROM tasks
         WHERE tenant = $1 AND artifact_bytes IS NOT NULL) a`,
      [tenant],
    );
    return Number(row?.bytes);
  }

  async #one(text: string, values: readonly unknown[]): Promise<Task | undefined> {
    return (await this.#readers.read('cannot read a task', text, values)).map(taskOf)[0];
  }
}

function taskOf({ task }: Row): Task {
  return JSON.parse(String(task)) as Task;
}
