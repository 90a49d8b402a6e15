/**
 * Logs of a single row: those that were admitted and sealed in one commit, as most short executions are. Such a row is
 * in no index of its own, which saves a page of the commit; its execution says at which position it stands.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The row of the execution `?1`, where its log is a single one. */
const ofExecution =
  'position = (SELECT log_position FROM executions WHERE execution_id = ?1) AND execution_id = ?1';

/** Every call is within a transaction of its caller's. */
export class SingleLogs {
  readonly #last: StatementSync;
  readonly #index: readonly StatementSync[];
  readonly #move: StatementSync;
  readonly #delete: readonly StatementSync[];

  constructor(db: DatabaseSync) {
    this.#last = db.prepare(`SELECT last_sequence FROM segments WHERE ${ofExecution}`);
    this.#index = [
      `UPDATE segments SET single = NULL WHERE ${ofExecution}`,
      'UPDATE executions SET log_position = NULL WHERE execution_id = ?1 AND log_position IS NOT NULL',
    ].map((sql) => db.prepare(sql));
    this.#move = db.prepare(
      'UPDATE executions SET log_position = ? WHERE execution_id = ? AND log_position = ?',
    );
    this.#delete = [
      `DELETE FROM segments WHERE ${ofExecution}`,
      'DELETE FROM segments WHERE execution_id = ?1 AND single IS NULL',
    ].map((sql) => db.prepare(sql));
  }

  /** The last sequence number of the log; undefined where it is none of a single row. */
  last(executionId: string): number | undefined {
    return this.#last.get(executionId)?.last_sequence as number | undefined;
  }

  /** The log gets more rows: all of them are found by the index from now on. */
  index(executionId: string): void {
    for (const statement of this.#index) statement.run(executionId);
  }

  /** The row gets another position. Does nothing where the log is none of a single row. */
  move(executionId: string, from: number, to: number): void {
    this.#move.run(to, executionId, from);
  }

  /** Deletes a log, of however many rows; its execution must not be deleted before. */
  deleteLog(executionId: string): void {
    for (const statement of this.#delete) statement.run(executionId);
  }
}
