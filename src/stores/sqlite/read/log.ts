import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { LogEvent } from '../../../domain/event.ts';
import { EventPage } from '../../page.ts';
import { DamagedError, type EventQuery, type LogOutline, type NodeEvent } from '../../store.ts';
import { decodeSegment, OutlineReader, RowOrder, type SegmentRow, segmentColumns } from './segment.ts';
import { SingleLogReader } from './single-log.ts';

/** Reads the segments back as events. */
export class Log {
  readonly #single: SingleLogReader;
  readonly #ofExecution: StatementSync;
  readonly #fromPosition: StatementSync;
  readonly #outline: StatementSync;
  readonly #changed: StatementSync;
  readonly #batchOf: StatementSync;
  readonly #hidden: ReadonlySet<string>;

  /** `hidden` are batches whose members are not there. */
  constructor(db: DatabaseSync, hidden: ReadonlySet<string>) {
    this.#hidden = hidden;
    this.#single = new SingleLogReader(db);
    this.#batchOf = db.prepare('SELECT batch_id FROM executions WHERE execution_id = ?');
    // Nobody sees what is staged.
    const visible = 'NOT EXISTS (SELECT 1 FROM staged WHERE staged.execution_id = segments.execution_id)';
    // The next two begin with the row that may hold the first event wanted in its middle.
    this.#ofExecution = db.prepare(
      `SELECT ${segmentColumns}, data FROM segments
       WHERE execution_id = ?1 AND single IS NULL AND first_sequence >= ifnull(
         (SELECT max(first_sequence) FROM segments
          WHERE execution_id = ?1 AND single IS NULL AND first_sequence <= ?2), 0)
         AND ${visible}
       ORDER BY first_sequence`,
    );
    this.#fromPosition = db.prepare(
      `SELECT ${segmentColumns}, data FROM segments
       WHERE position >= ifnull((SELECT max(position) FROM segments WHERE position <= ?1), 0)
         AND ${visible}
       ORDER BY position`,
    );
    this.#changed = db.prepare(
      `SELECT execution_id FROM segments
       WHERE position >= ifnull((SELECT max(position) FROM segments WHERE position <= ?1), 0)
         AND position + last_sequence - first_sequence >= ?1 AND ${visible}
       ORDER BY position LIMIT ?2`,
    );
    this.#outline = db.prepare(
      `SELECT ${segmentColumns} FROM segments
       WHERE execution_id = ? AND single IS NULL AND ${visible} ORDER BY first_sequence`,
    );
  }

  events(executionId: string, query: EventQuery): LogEvent[] {
    const page = new EventPage(query);
    const order = new RowOrder();
    const single = this.#single.row(executionId);
    const rows = single === undefined ? this.#ofExecution.iterate(executionId, query.from) : [single];
    for (const row of rows) {
      const segment = row as unknown as SegmentRow;
      order.follow(segment);
      for (const event of decodeSegment(segment)) {
        if (!page.offer(event)) return page.events;
      }
    }
    return page.events;
  }

  outline(executionId: string): LogOutline {
    const reader = new OutlineReader();
    const single = this.#single.outlineRow(executionId);
    const rows = single === undefined ? this.#outline.iterate(executionId) : [single];
    for (const row of rows) reader.add(row as unknown as SegmentRow);
    return reader.outline();
  }

  changedSince(from: number, limit: number): string[] | undefined {
    const rows = this.#changed.all(from, limit + 1);
    if (rows.length > limit) return undefined;
    const changed = new Set(rows.map((row) => row.execution_id as string));
    return [...changed].filter((executionId) => !this.#isHidden(executionId));
  }

  #isHidden(executionId: string): boolean {
    if (this.#hidden.size === 0) return false;
    return this.#hidden.has(String(this.#batchOf.get(executionId)?.batch_id));
  }

  /**
   * Without what is damaged. It ends before the first event of a batch that is being written, as what comes behind
   * would lead readers past it.
   */
  fromPosition(from: number, limit: number): NodeEvent[] {
    const events: NodeEvent[] = [];
    if (limit <= 0) return events;
    for (const row of this.#fromPosition.iterate(from)) {
      const executionId = row.execution_id as string;
      if (this.#isHidden(executionId)) return events;
      for (const event of wholeSegment(row as unknown as SegmentRow)) {
        if (event.position < from) continue;
        events.push({ ...event, executionId });
        if (events.length >= limit) return events;
      }
    }
    return events;
  }
}

function* wholeSegment(row: SegmentRow): Generator<LogEvent> {
  try {
    yield* decodeSegment(row);
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
  }
}
