import type { BlockedState } from '../../../domain/dependency.ts';
import type { Readers } from '../engine/readers.ts';
import { most } from './records.ts';

const what = 'cannot read what follows what';

/** Reads what waits for what, each by its index. */
export class Dependencies {
  readonly #readers: Readers;
  readonly #me: number;

  /** @param me whose are those that are released */
  constructor(readers: Readers, me: number) {
    this.#readers = readers;
    this.#me = me;
  }

  async any(): Promise<boolean> {
    const rows = await this.#readers.read(what, 'SELECT 1 AS one FROM dependencies WHERE active LIMIT 1');
    return rows.length > 0;
  }

  async blocked(executionId: string): Promise<BlockedState | undefined> {
    const text = 'SELECT open, failed_by FROM blocked WHERE execution_id = $1';
    const [row] = await this.#readers.read(what, text, [executionId]);
    if (row === undefined) return undefined;
    const { open, failed_by: failedBy } = row;
    return { open: Number(open), ...(failedBy !== null && { failedBy: String(failedBy) }) };
  }

  async released(afterId: string, limit: number): Promise<string[]> {
    const text = `SELECT b.execution_id FROM blocked b JOIN executions x USING (execution_id)
      WHERE b.released AND x.owner = $3 AND b.execution_id > $1 ORDER BY b.execution_id LIMIT $2`;
    const rows = await this.#readers.read(what, text, [afterId, most(limit), this.#me]);
    return rows.map((row) => String(row.execution_id));
  }

  async dependants(executionId: string, afterId: string, limit: number): Promise<string[]> {
    const text = `SELECT dependant_id FROM dependencies WHERE dependency_id = $1 AND dependant_id > $2
      ORDER BY dependant_id LIMIT $3`;
    const rows = await this.#readers.read(what, text, [executionId, afterId, most(limit)]);
    return rows.map((row) => String(row.dependant_id));
  }
}
