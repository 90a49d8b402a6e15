import type { LogEvent } from '../../../domain/event.ts';
import { EventPage } from '../../page.ts';
import { decodePlainSegment, OutlineReader, type PlainSegment, RowOrder } from '../../sqlite/read/segment.ts';
import type { EventQuery, LogOutline, NodeEvent } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { textArray } from '../write/parameters.ts';

/** Rows of a log that are looked at together, … */
const rowsAtOnce = 64;
/** … of which no more than these bytes of output are fetched at a time, and one row at least. */
const bytesAtOnce = 4 * 1024 * 1024;

/** Rows of several logs that are read together. */
const rowsOfSeveral = 2000;

const columns = 'execution_id, first_sequence, last_sequence, position, meta';
/** Nobody sees what is staged. */
const visible =
  'NOT EXISTS (SELECT 1 FROM executions x WHERE x.execution_id = segments.execution_id AND x.staged)';

/** Reads the segments back as events. */
export class Logs {
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  async events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    const page = new EventPage(query);
    const order = new RowOrder();
    const most = Math.min(bytesAtOnce, query.maxBytes);
    let from = await this.#rowWith(executionId, query.from);
    for (;;) {
      const rows = await this.#rows(executionId, from, most);
      for (const row of rows) {
        order.follow(row);
        for (const event of decodePlainSegment(row)) if (!page.offer(event)) return page.events;
      }
      const last = rows.at(-1);
      if (last === undefined) return page.events;
      from = last.last_sequence + 1;
    }
  }

  async outline(executionId: string): Promise<LogOutline> {
    const reader = new OutlineReader();
    for (let after = 0; ; ) {
      const rows = await this.#readers.read(
        'cannot read a log',
        `SELECT ${columns} FROM segments WHERE execution_id = $1 AND first_sequence > $2 AND ${visible}
         ORDER BY first_sequence LIMIT 1000`,
        [executionId, after],
      );
      for (const row of rows) reader.addPlain(segmentOf(row));
      if (rows.length < 1000) return reader.outline();
      after = Number(rows.at(-1)?.first_sequence);
    }
  }

  /** Of several at once; those whose logs are long are left out. */
  async outlines(executionIds: readonly string[]): Promise<Map<string, LogOutline>> {
    const rows = await this.#readers.read(
      'cannot read logs',
      `SELECT ${columns} FROM segments WHERE execution_id = ANY ($1::text[])
       ORDER BY execution_id, first_sequence LIMIT ${rowsOfSeveral}`,
      [textArray(executionIds)],
      'outlines',
    );
    const readers = new Map<string, OutlineReader>();
    for (const row of rows) {
      const id = String(row.execution_id);
      const reader = readers.get(id) ?? new OutlineReader();
      readers.set(id, reader);
      reader.addPlain(segmentOf(row));
    }
    // Of the last one there may be more.
    const last = rows.at(-1);
    if (rows.length === rowsOfSeveral && last !== undefined) readers.delete(String(last.execution_id));
    return new Map([...readers].map(([id, reader]) => [id, reader.outline()]));
  }

  async fromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    const events: NodeEvent[] = [];
    for (let next = await this.#positionOfRowWith(from); limit > 0; ) {
      const rows = await this.#readers.read(
        'cannot read the logs',
        `SELECT ${columns}, data FROM (
           SELECT *, sum(octet_length(data)) OVER (ORDER BY position, writer ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
           FROM (SELECT * FROM segments WHERE position >= $1 AND ${visible} ORDER BY position, writer LIMIT ${rowsAtOnce}) page
         ) sized WHERE coalesce(before, 0) < ${bytesAtOnce} ORDER BY position, writer`,
        [next],
      );
      for (const row of rows.map(segmentOf)) {
        for (const event of decodePlainSegment(row)) {
          if (event.position < from) continue;
          events.push({ ...event, executionId: row.execution_id });
          if (events.length >= limit) return events;
        }
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      next = Number(last.position) + 1;
    }
    return events;
  }

  async changedSince(from: number, limit: number): Promise<string[] | undefined> {
    const rows = await this.#readers.read(
      'cannot read the logs',
      `SELECT execution_id FROM segments
       WHERE position >= $1 AND position + last_sequence - first_sequence >= $2 AND ${visible}
       ORDER BY position, writer LIMIT $3`,
      [await this.#positionOfRowWith(from), from, limit + 1],
    );
    if (rows.length > limit) return undefined;
    return [...new Set(rows.map((row) => String(row.execution_id)))];
  }

  async lastPosition(): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot read the logs',
      `SELECT greatest((SELECT max(next_position) FROM fences), (SELECT max(next_position) FROM nodes), 1) AS next`,
    );
    return Number(row?.next) - 1;
  }

  /** The first number of the row that has an event, or of where it would be. */
  async #rowWith(executionId: string, sequence: number): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot read a log',
      'SELECT max(first_sequence) AS first FROM segments WHERE execution_id = $1 AND first_sequence <= $2',
      [executionId, clamped(sequence)],
      'row-with',
    );
    return row?.first === null || row === undefined ? 0 : Number(row.first);
  }

  async #positionOfRowWith(position: number): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot read the logs',
      'SELECT max(position) AS first FROM segments WHERE position <= $1',
      [position],
    );
    return row?.first === null || row === undefined ? 0 : Number(row.first);
  }

  async #rows(executionId: string, from: number, most: number): Promise<PlainSegment[]> {
    const rows = await this.#readers.read(
      'cannot read a log',
      `SELECT ${columns}, data FROM (
         SELECT *, sum(octet_length(data)) OVER (ORDER BY first_sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
         FROM (SELECT * FROM segments WHERE execution_id = $1 AND first_sequence >= $2 AND ${visible}
           ORDER BY first_sequence LIMIT ${rowsAtOnce}) page
       ) sized WHERE coalesce(before, 0) <= $3 ORDER BY first_sequence`,
      [executionId, clamped(from), most],
      'rows-from',
    );
    return rows.map(segmentOf);
  }
}

export function segmentOf(row: Row): PlainSegment {
  const { data } = row;
  return {
    execution_id: String(row.execution_id),
    first_sequence: Number(row.first_sequence),
    last_sequence: Number(row.last_sequence),
    position: Number(row.position),
    meta: String(row.meta),
    data: data instanceof Uint8Array ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : null,
  };
}

/** What no column of 32 bits holds is behind all of them. */
function clamped(sequence: number): number {
  return Math.min(sequence, 2 ** 31 - 1);
}
