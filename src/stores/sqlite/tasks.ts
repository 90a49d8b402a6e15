import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Task } from '../../domain/task.ts';

/** Reads and writes tasks: all revisions, and who has which name. */
export class Tasks {
  readonly #db: DatabaseSync;
  readonly #saveRevision: StatementSync;
  readonly #takeName: StatementSync;
  readonly #freeNames: StatementSync;
  readonly #byName: StatementSync;
  readonly #byId: StatementSync;
  readonly #revision: StatementSync;
  readonly #list: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#saveRevision = db.prepare(
      `INSERT INTO tasks (task_id, revision, task) VALUES (?, ?, ?)
       ON CONFLICT (task_id, revision) DO UPDATE SET task = excluded.task`,
    );
    this.#takeName = db.prepare(
      `INSERT INTO task_names (name, task_id) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET task_id = excluded.task_id`,
    );
    this.#freeNames = db.prepare('DELETE FROM task_names WHERE task_id = ?');
    const newest = 'revision = (SELECT max(revision) FROM tasks AS t WHERE t.task_id = tasks.task_id)';
    this.#byName = db.prepare(
      `SELECT task FROM task_names JOIN tasks USING (task_id) WHERE name = ? AND ${newest}`,
    );
    this.#byId = db.prepare('SELECT task FROM tasks WHERE task_id = ? ORDER BY revision DESC LIMIT 1');
    this.#revision = db.prepare('SELECT task FROM tasks WHERE task_id = ? AND revision = ?');
    this.#list = db.prepare(
      `SELECT task FROM task_names JOIN tasks USING (task_id) WHERE name > ? AND ${newest} ORDER BY name LIMIT ?`,
    );
  }

  save(task: Task): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#saveRevision.run(task.taskId, task.revision, JSON.stringify(task));
      this.#freeNames.run(task.taskId);
      this.#takeName.run(task.definition.name, task.taskId);
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  delete(taskId: string): void {
    this.#freeNames.run(taskId);
  }

  byName(name: string): Task | undefined {
    return taskOf(this.#byName.get(name));
  }

  byId(taskId: string): Task | undefined {
    return taskOf(this.#byId.get(taskId));
  }

  revision(taskId: string, revision: number): Task | undefined {
    return taskOf(this.#revision.get(taskId, revision));
  }

  list(afterName: string, limit: number): Task[] {
    return this.#list.all(afterName, Math.max(0, limit)).map((row) => JSON.parse(row.task as string) as Task);
  }
}

function taskOf(row: Record<string, unknown> | undefined): Task | undefined {
  return row === undefined ? undefined : (JSON.parse(row.task as string) as Task);
}
