import type { WaitingAlarm, WaitingExecution, WaitingKey, WaitingLineCount } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { restored, storable } from '../write/parameters.ts';
import { most, recordOf } from './records.ts';

export const waitingColumns = 'record, line, waits_since, wakes_at';

/** Reads the lines of what waits, each by its index. */
export class WaitingLines {
  readonly #readers: Readers;
  readonly #me: number;

  /** @param me whose lines they are */
  constructor(readers: Readers, me: number) {
    this.#readers = readers;
    this.#me = me;
  }

  async lines(): Promise<WaitingLineCount[]> {
    const rows = await this.#readers.read(
      'cannot list what waits',
      'SELECT line, count(*) AS count FROM executions WHERE owner = $1 AND line IS NOT NULL GROUP BY line ORDER BY line',
      [this.#me],
    );
    return rows.map(({ line, count }) => ({ line: restored(String(line)), count: Number(count) }));
  }

  async line(line: string, after: WaitingKey | undefined, limit: number): Promise<WaitingExecution[]> {
    const { since = Number.NEGATIVE_INFINITY, executionId = '' } = after ?? {};
    const rows = await this.#readers.read(
      'cannot list what waits',
      `SELECT ${waitingColumns} FROM executions WHERE owner = $5 AND line = $1 AND (waits_since, execution_id) > ($2::float8, $3::text)
       ORDER BY waits_since, execution_id LIMIT $4`,
      [storable(line), since, executionId, most(limit), this.#me],
    );
    return rows.map(waitingOf);
  }

  async between(line: string, after: WaitingKey, before: WaitingKey, limit: number): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot count what waits',
      `SELECT count(*) AS count FROM (SELECT 1 FROM executions WHERE owner = $7 AND line = $1
         AND (waits_since, execution_id) > ($2::float8, $3::text)
         AND (waits_since, execution_id) < ($4::float8, $5::text) LIMIT $6) found`,
      [
        storable(line),
        after.since,
        after.executionId,
        before.since,
        before.executionId,
        most(limit),
        this.#me,
      ],
    );
    return Number(row?.count);
  }

  async one(executionId: string): Promise<WaitingExecution | undefined> {
    const rows = await this.#readers.read(
      'cannot read an execution',
      `SELECT ${waitingColumns} FROM executions WHERE execution_id = $1 AND owner = $2 AND line IS NOT NULL`,
      [executionId, this.#me],
    );
    return rows.map(waitingOf)[0];
  }

  async alarms(after: WaitingAlarm | undefined, limit: number): Promise<WaitingAlarm[]> {
    const { wakesAt = Number.NEGATIVE_INFINITY, executionId = '' } = after ?? {};
    const rows = await this.#readers.read(
      'cannot list alarms',
      `SELECT execution_id, wakes_at FROM executions
       WHERE owner = $4 AND wakes_at IS NOT NULL AND (wakes_at, execution_id) > ($1::float8, $2::text)
       ORDER BY wakes_at, execution_id LIMIT $3`,
      [wakesAt, executionId, most(limit), this.#me],
    );
    return rows.map((row) => ({
      executionId: String(row.execution_id),
      wakesAt: Number(row.wakes_at),
    }));
  }
}

export function waitingOf(row: Row): WaitingExecution {
  const { line, waits_since: since, wakes_at: wakesAt } = row;
  return {
    record: recordOf(row),
    place: {
      line: restored(String(line)),
      since: Number(since),
      wakesAt: wakesAt === null ? Number.POSITIVE_INFINITY : Number(wakesAt),
    },
  };
}
