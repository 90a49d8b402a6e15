import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { BlockedState } from '../../../domain/dependency.ts';

/** Reads what waits for what, each by its index. */
export class Dependencies {
  readonly #any: StatementSync;
  readonly #blocked: StatementSync;
  readonly #released: StatementSync;
  readonly #dependants: StatementSync;

  constructor(db: DatabaseSync) {
    this.#any = db.prepare('SELECT 1 FROM dependencies WHERE active = 1 LIMIT 1');
    this.#blocked = db.prepare('SELECT open, failed_by FROM blocked WHERE execution_id = ?');
    this.#released = db.prepare(
      'SELECT execution_id FROM blocked WHERE released = 1 AND execution_id > ? ORDER BY execution_id LIMIT ?',
    );
    this.#dependants = db.prepare(
      `SELECT dependant_id FROM dependencies WHERE dependency_id = ? AND dependant_id > ?
       ORDER BY dependant_id LIMIT ?`,
    );
  }

  any(): boolean {
    return this.#any.get() !== undefined;
  }

  blocked(executionId: string): BlockedState | undefined {
    const row = this.#blocked.get(executionId);
    if (row === undefined) return undefined;
    const { open, failed_by: failedBy } = row;
    return { open: Number(open), ...(failedBy !== null && { failedBy: String(failedBy) }) };
  }

  released(afterId: string, limit: number): string[] {
    return this.#released.all(afterId, limit).map(({ execution_id: id }) => String(id));
  }

  dependants(executionId: string, afterId: string, limit: number): string[] {
    return this.#dependants.all(executionId, afterId, limit).map(({ dependant_id: id }) => String(id));
  }
}
