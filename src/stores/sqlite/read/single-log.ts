import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { DamagedError } from '../../store.ts';
import { type SegmentRow, segmentColumns } from './segment.ts';

const columns = segmentColumns
  .split(', ')
  .map((column) => `s.${column}`)
  .join(', ');

/** Reads the logs that have a single row, which their executions lead to; see write/single-logs.ts. */
export class SingleLogReader {
  readonly #row: StatementSync;
  readonly #outlineRow: StatementSync;

  constructor(db: DatabaseSync) {
    // In one statement, as the row may get another position between two.
    const select = (more: string): string =>
      `SELECT ${columns}${more} FROM executions AS e
       LEFT JOIN segments AS s ON s.position = e.log_position AND s.execution_id = e.execution_id
       WHERE e.execution_id = ? AND e.log_position IS NOT NULL`;
    this.#row = db.prepare(select(', data'));
    this.#outlineRow = db.prepare(select(''));
  }

  /** Undefined where the log is none of a single row. Throws DamagedError where there is no row that it leads to. */
  row(executionId: string): SegmentRow | undefined {
    return found(executionId, this.#row);
  }

  /** As `row`, without its bytes. */
  outlineRow(executionId: string): Omit<SegmentRow, 'data'> | undefined {
    return found(executionId, this.#outlineRow);
  }
}

function found(executionId: string, statement: StatementSync): SegmentRow | undefined {
  const row = statement.get(executionId);
  if (row === undefined) return undefined;
  if (row.position === null)
    throw new DamagedError(`the log of ${executionId} is damaged: its row is not there`);
  return row as unknown as SegmentRow;
}
