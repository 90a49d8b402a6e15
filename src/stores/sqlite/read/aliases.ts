import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { TaskAlias } from '../../../domain/revisions/alias.ts';
import { DamagedError } from '../../store.ts';
import { aliasChecksum } from '../file/checksum.ts';
import type { Row } from './row.ts';

export const aliasColumns = 'task_id, name, alias, checksum';

/** Reads and writes the aliases of tasks. */
export class AliasRows {
  readonly #of: StatementSync;
  readonly #save: StatementSync;
  readonly #delete: StatementSync;
  readonly #name: StatementSync;
  readonly #unname: StatementSync;

  constructor(db: DatabaseSync) {
    this.#of = db.prepare(`SELECT ${aliasColumns} FROM task_aliases WHERE task_id = ? ORDER BY name`);
    this.#save = db.prepare(
      `INSERT INTO task_aliases (task_id, name, alias, checksum) VALUES (?, ?, ?, ?)
       ON CONFLICT (task_id, name) DO UPDATE SET alias = excluded.alias, checksum = excluded.checksum`,
    );
    this.#delete = db.prepare('DELETE FROM task_aliases WHERE task_id = ? AND name = ?');
    this.#name = db.prepare(
      'INSERT OR IGNORE INTO alias_revisions (task_id, revision, name) VALUES (?, ?, ?)',
    );
    this.#unname = db.prepare('DELETE FROM alias_revisions WHERE task_id = ? AND name = ?');
  }

  /** By name. Throws DamagedError where one is damaged: calls must not go elsewhere because of that. */
  of(taskId: string): TaskAlias[] {
    return this.#of.all(taskId).map(aliasOf);
  }

  save(taskId: string, name: string, alias: TaskAlias | undefined): void {
    this.#unname.run(taskId, name);
    if (alias === undefined) {
      this.#delete.run(taskId, name);
      return;
    }
    const json = JSON.stringify(alias);
    this.#save.run(taskId, name, json, aliasChecksum(taskId, name, json));
    for (const revision of revisionsOf(alias)) this.#name.run(taskId, revision, name);
  }
}

/** All that it names or has named in the moves that it remembers. */
export function revisionsOf({ moves }: TaskAlias): ReadonlySet<number> {
  return new Set(moves.flatMap(({ shares }) => shares.map(({ revision }) => revision)));
}

/** Throws DamagedError where the row is not as it was written. */
export function aliasOf({ task_id: taskId, name, alias, checksum }: Row): TaskAlias {
  if (checksum !== aliasChecksum(String(taskId), String(name), String(alias))) {
    throw new DamagedError(`the alias ${String(name)} of ${String(taskId)} is damaged`);
  }
  return JSON.parse(String(alias)) as TaskAlias;
}
