import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { stagedChecksum } from '../file/checksum.ts';
import { Floor } from '../file/positions.ts';
import { SingleLogs } from './single-logs.ts';
import { inTransaction } from './transaction.ts';

/** Which logs are staged. Every call is within a transaction of its caller's. */
export class Staging {
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;
  readonly #logs: SingleLogs;
  readonly #floor: Floor;
  readonly #known: StatementSync;

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO staged (execution_id, checksum) VALUES (?, ?)');
    this.#delete = db.prepare('DELETE FROM staged WHERE execution_id = ?');
    this.#logs = new SingleLogs(db);
    this.#floor = new Floor(db);
    this.#known = db.prepare('SELECT 1 FROM staged WHERE execution_id = ?');
  }

  has(executionId: string): boolean {
    return this.#known.get(executionId) !== undefined;
  }

  add(executionId: string): void {
    this.#insert.run(executionId, stagedChecksum(executionId));
  }

  /** Its record has come: it is an execution like any other. */
  settle(executionId: string): void {
    this.#delete.run(executionId);
  }

  /** Deletes a log that is staged; any other stays. */
  drop(executionId: string): void {
    if (this.#delete.run(executionId).changes === 0) return;
    this.#floor.raise();
    this.#logs.deleteLog(executionId);
  }
}

/** Deletes what an earlier run staged and did not commit; what may be another's log stays. */
export function dropLeftovers(db: DatabaseSync): void {
  const staging = new Staging(db);
  for (const { execution_id: id, checksum } of db
    .prepare('SELECT execution_id, checksum FROM staged')
    .all()) {
    if (checksum !== stagedChecksum(String(id))) continue;
    inTransaction(db, () => staging.drop(String(id)));
  }
}
