import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { WaitingAlarm, WaitingExecution, WaitingKey, WaitingLineCount } from '../../store.ts';
import { columns } from './execution-listing.ts';
import { isHidden, type Row, recordOf, shown, wholeOf } from './row.ts';

/** Reads the lines of what waits for a slot, each by its index. */
export class WaitingLines {
  readonly #lines: StatementSync;
  readonly #line: StatementSync;
  readonly #between: StatementSync;
  readonly #one: StatementSync;
  readonly #alarms: StatementSync;

  readonly #hidden: ReadonlySet<string>;

  /** `hidden` are batches whose members are not there. */
  constructor(db: DatabaseSync, hidden: ReadonlySet<string>) {
    this.#hidden = hidden;
    this.#lines = db.prepare(
      `SELECT line, count(*) AS count FROM executions WHERE line IS NOT NULL AND line > '' GROUP BY line`,
    );
    this.#line = db.prepare(
      `SELECT ${columns} FROM executions WHERE line = ?1 AND (waits_since, execution_id) > (?2, ?3)
       ORDER BY waits_since, execution_id LIMIT ?4`,
    );
    this.#between = db.prepare(
      `SELECT count(*) AS count FROM (SELECT 1 FROM executions WHERE line = ?1
         AND (waits_since, execution_id) > (?2, ?3) AND (waits_since, execution_id) < (?4, ?5) LIMIT ?6)`,
    );
    this.#one = db.prepare(`SELECT ${columns} FROM executions WHERE execution_id = ? AND line > ''`);
    this.#alarms = db.prepare(
      `SELECT execution_id, wakes_at FROM executions
       WHERE wakes_at IS NOT NULL AND (wakes_at, execution_id) > (?1, ?2)
       ORDER BY wakes_at, execution_id LIMIT ?3`,
    );
  }

  lines(): WaitingLineCount[] {
    return this.#lines.all().map(({ line, count }) => ({ line: String(line), count: Number(count) }));
  }

  /** Empty only where there is none, however many in between are damaged. */
  line(line: string, after: WaitingKey | undefined, limit: number): WaitingExecution[] {
    let since = after?.since ?? Number.NEGATIVE_INFINITY;
    let id = after?.executionId ?? '';
    for (;;) {
      const rows = this.#line.all(line, since, id, Math.max(0, limit));
      const whole = wholeOf(rows, (row) => {
        const waiting = waitingOf(row);
        shown(waiting.record, this.#hidden);
        return waiting;
      });
      const last = rows.at(-1);
      if (last === undefined || whole.length > 0) return whole;
      const next = Number(last.waits_since);
      const nextId = String(last.execution_id);
      // Where the index has another key than the row, it would lead to the same rows again.
      if (next < since || (next === since && nextId <= id)) return [];
      [since, id] = [next, nextId];
    }
  }

  between(line: string, after: WaitingKey, before: WaitingKey, limit: number): number {
    const ends = [after.since, after.executionId, before.since, before.executionId];
    return Number(this.#between.get(line, ...ends, Math.max(0, limit))?.count);
  }

  one(executionId: string): WaitingExecution | undefined {
    const row = this.#one.get(executionId);
    const waiting = row === undefined ? undefined : waitingOf(row);
    return waiting !== undefined && isHidden(waiting.record, this.#hidden) ? undefined : waiting;
  }

  alarms(after: WaitingAlarm | undefined, limit: number): WaitingAlarm[] {
    const { wakesAt = Number.NEGATIVE_INFINITY, executionId = '' } = after ?? {};
    return this.#alarms.all(wakesAt, executionId, Math.max(0, limit)).map((row) => ({
      executionId: String(row.execution_id),
      wakesAt: Number(row.wakes_at),
    }));
  }
}

function waitingOf(row: Row): WaitingExecution {
  const { line, waits_since: since, wakes_at: wakesAt } = row;
  return {
    record: recordOf(row),
    place: {
      line: String(line),
      since: Number(since),
      wakesAt: wakesAt === null ? Number.POSITIVE_INFINITY : Number(wakesAt),
    },
  };
}
