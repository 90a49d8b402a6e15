/** Whether executions and their logs are as the invariants say: I3, no gap and no repeat; I4, sealed by one result. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import { DamagedError } from '../store.ts';
import type { Checked, Report } from './check.ts';
import { parseRow } from './row.ts';
import { describeSegment } from './segment.ts';

const executionsAtOnce = 500;

interface SegmentSummary {
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly meta: string;
  readonly bytes: number | null;
}

/** Each page is one read transaction, so that it never sees half of a commit and holds up nobody for long. */
export function checkLogs(db: DatabaseSync, checked: Checked, report: Report): void {
  const page = db.prepare(
    `SELECT execution_id, status, record FROM executions WHERE execution_id > ?
     ORDER BY execution_id LIMIT ${executionsAtOnce}`,
  );
  const log = new LogCheck(db, checked, report);
  for (let after: string | undefined = ''; after !== undefined; ) {
    db.exec('BEGIN');
    try {
      const rows = page.all(after);
      for (const row of rows) {
        checked.executions += 1;
        log.check(row);
      }
      after = rows.at(-1)?.execution_id as string | undefined;
    } finally {
      db.exec('COMMIT');
    }
  }
}

class LogCheck {
  readonly #segments: StatementSync;
  readonly #checked: Checked;
  readonly #report: Report;

  constructor(db: DatabaseSync, checked: Checked, report: Report) {
    this.#checked = checked;
    this.#report = report;
    this.#segments = db.prepare(
      `SELECT first_sequence, last_sequence, meta, length(data) AS bytes FROM segments
       WHERE execution_id = ? ORDER BY first_sequence`,
    );
  }

  check(row: Readonly<Record<string, unknown>>): void {
    const id = String(row.execution_id);
    const say = (message: string): void => this.#report(id, message);
    try {
      const record = parseRow<ExecutionRecord>(row, 'record');
      if (record.status !== row.status) say(`its record is ${record.status}, and listed as ${row.status}`);
      this.#checkLog(record, say);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      say(error.message);
    }
  }

  #checkLog(record: ExecutionRecord, say: (message: string) => void): void {
    const { executionId, oldestSequence = 1, lastSequence } = record;
    let next: number | undefined;
    let results = 0;
    let endsWithResult = false;
    for (const row of this.#segments.iterate(executionId) as Iterable<unknown>) {
      const segment = row as SegmentSummary;
      const { first_sequence: first, last_sequence: last } = segment;
      if (next === undefined && first > oldestSequence) {
        say(`its log begins with event ${first}, and its record says ${oldestSequence}`);
      }
      if (next !== undefined && first !== next)
        say(`its log goes on with event ${first} where ${next} should be`);
      const here = describeSegment({ ...segment, position: 0 });
      const { events, chunkBytes } = here;
      if (events !== last - first + 1) say(`events ${first} to ${last} are ${events} in number`);
      if (chunkBytes !== (segment.bytes ?? 0)) {
        say(
          `events ${first} to ${last} tell of ${chunkBytes} bytes of output, and have ${segment.bytes ?? 0}`,
        );
      }
      results += here.results;
      endsWithResult = here.endsWithResult;
      this.#checked.events += events;
      next = last + 1;
    }
    if (next === undefined) say('it has no log');
    else if (next !== lastSequence + 1) {
      say(`its log ends with event ${next - 1}, and its record says ${lastSequence}`);
    }
    if (!isTerminal(record.status)) {
      if (results > 0) say(`it is ${record.status}, and its log has a result`);
    } else if (results !== 1) say(`it is ${record.status}, and its log has ${results} results`);
    else if (!endsWithResult) say('events follow the result of its log');
  }
}
