/** Whether executions and their logs are as the invariants say: I3, no gap and no repeat; I4, sealed by one result. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type ExecutionRecord, isTerminal } from '../../../domain/execution.ts';
import { DamagedError } from '../../store.ts';
import { recordColumns } from '../file/checksum.ts';
import { recordOf } from '../read/row.ts';
import { describeSegment, isWhole, type SegmentRow, segmentColumns } from '../read/segment.ts';
import { SingleLogReader } from '../read/single-log.ts';
import type { Checked, Report } from './check.ts';

const executionsAtOnce = 500;

/** Each page is one read transaction, so that it never sees half of a commit and holds up nobody for long. */
export function checkLogs(db: DatabaseSync, checked: Checked, report: Report): void {
  const page = db.prepare(
    `SELECT ${recordColumns}, checksum FROM executions WHERE execution_id > ?
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
      const last = rows.at(-1)?.execution_id as string | undefined;
      // Where the index has another key than the row, it would lead to the same rows again.
      after = last !== undefined && last > after ? last : undefined;
    } finally {
      db.exec('COMMIT');
    }
  }
}

class LogCheck {
  readonly #single: SingleLogReader;
  readonly #segments: StatementSync;
  readonly #checked: Checked;
  readonly #report: Report;

  constructor(db: DatabaseSync, checked: Checked, report: Report) {
    this.#checked = checked;
    this.#report = report;
    this.#segments = db.prepare(
      `SELECT ${segmentColumns}, data FROM segments
       WHERE execution_id = ? AND single IS NULL ORDER BY first_sequence`,
    );
    this.#single = new SingleLogReader(db);
  }

  check(row: Readonly<Record<string, unknown>>): void {
    const id = String(row.execution_id);
    const say = (message: string): void => this.#report(id, message);
    try {
      const record = this.#record(row, say);
      if (record.status !== row.status) say(`its record is ${record.status}, and listed as ${row.status}`);
      if ((row.line !== null) !== (record.status === 'pending')) {
        say(`its record is ${record.status}, and it ${row.line === null ? 'waits nowhere' : 'waits'}`);
      }
      this.#checkLog(record, say);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      say(error.message);
    }
  }

  /** What it says, even where it is not as it was written: its log is looked at all the same. */
  #record(row: Readonly<Record<string, unknown>>, say: (message: string) => void): ExecutionRecord {
    try {
      return recordOf(row);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      const record = readable(row.record);
      if (record === undefined) throw error;
      say(`${error.message}: its checksum does not fit`);
      return record;
    }
  }

  /** None where the record leads to a row that is not there. */
  #rows(executionId: string): Iterable<unknown> {
    try {
      const single = this.#single.row(executionId);
      return single === undefined ? this.#segments.iterate(executionId) : [single];
    } catch (error) {
      if (error instanceof DamagedError) return [];
      throw error;
    }
  }

  #checkLog(record: ExecutionRecord, say: (message: string) => void): void {
    const { executionId, oldestSequence = 1, lastSequence } = record;
    let next: number | undefined;
    let results = 0;
    let endsWithResult = false;
    for (const row of this.#rows(executionId)) {
      const segment = row as SegmentRow;
      const { first_sequence: first, last_sequence: last } = segment;
      if (next === undefined && first > oldestSequence) {
        say(`its log begins with event ${first}, and its record says ${oldestSequence}`);
      }
      if (next !== undefined && first !== next)
        say(`its log goes on with event ${first} where ${next} should be`);
      if (!isWhole(segment)) say(`events ${first} to ${last} are damaged: their checksum does not fit`);
      const here = describeSegment(segment);
      const bytes = segment.data?.byteLength ?? 0;
      const { events, chunkBytes } = here;
      if (events !== last - first + 1) say(`events ${first} to ${last} are ${events} in number`);
      if (chunkBytes !== bytes) {
        say(`events ${first} to ${last} tell of ${chunkBytes} bytes of output, and have ${bytes}`);
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

function readable(json: unknown): ExecutionRecord | undefined {
  try {
    const record: unknown = JSON.parse(String(json));
    return typeof record === 'object' && record !== null ? (record as ExecutionRecord) : undefined;
  } catch {
    // It is said to be damaged already.
    return undefined;
  }
}
