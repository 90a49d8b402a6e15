/**
 * A segment is the row that holds consecutive events of one log: `meta` is a JSON array with one array an
 * event, `data` the bytes of its chunks end to end. Position and sequence follow from the place.
 *
 * - transition: `['t', time, status, attempt, from, to, eventType, reasonCode, contextPatch, chartVersion, by?]`
 * - chunk: `['o' (stdout) or 'e' (stderr), time, status, attempt, byteLength]`
 * - refusal: `['n', time, status, attempt, 0, host, port, address, rule, more]`: to a reader of before, a chunk without
 *   bytes
 * - result: `['r', time, status, attempt, by?]`
 */
import type { LogEvent, NewEvent } from '../../../domain/event.ts';
import type { ExecutionStatus } from '../../../domain/execution.ts';
import type { NetworkRefusal } from '../../../domain/network/refusal.ts';
import { chunkBytes } from '../../page.ts';
import { DamagedError, type LoggedRefusal, type LoggedTransition, type LogOutline } from '../../store.ts';
import { bytesChecksum, type SummedSegment, segmentChecksum } from '../file/checksum.ts';

type Common<K extends string> = [kind: K, time: number, status: ExecutionStatus, attempt: number];
type RefusalMeta = [host: string, port: number, address: string, rule: NetworkRefusal['rule'], more: number];
type EventMeta =
  | [...Common<'t'>, string, string, string, string, string, number, by?: string]
  | [...Common<'o' | 'e'>, byteLength: number]
  | [...Common<'n'>, 0, ...RefusalMeta]
  | [...Common<'r'>, by?: string];

/** About the most bytes of one row: what a reader must load to get at one event. */
const maxSegmentBytes = 1024 * 1024;
/** The fixed part of an event's meta. */
const metaBytes = 128;

/** Where the segment that begins at `start` ends: at the row limit or with the events. At least one event. */
export function segmentEnd(events: readonly NewEvent[], start: number): number {
  let bytes = 0;
  for (let index = start; index < events.length; index++) {
    const event = events[index] as NewEvent;
    bytes += metaBytes + (event.kind === 'transition' ? event.contextPatch.length : chunkBytes(event));
    if (bytes > maxSegmentBytes && index > start) return index;
  }
  return events.length;
}

export function encodeMeta(events: readonly NewEvent[], start: number, end: number): string {
  const metas: EventMeta[] = [];
  for (let index = start; index < end; index++) metas.push(metaOf(events[index] as NewEvent));
  return JSON.stringify(metas);
}

function metaOf(event: NewEvent): EventMeta {
  const { time, status, attempt, by } = event;
  const named: [by?: string] = by === undefined ? [] : [by];
  switch (event.kind) {
    case 'transition':
      return [
        't',
        time,
        status,
        attempt,
        event.from,
        event.to,
        event.eventType,
        event.reasonCode,
        event.contextPatch,
        event.chartVersion,
        ...named,
      ];
    case 'chunk':
      return [event.stream === 'stdout' ? 'o' : 'e', time, status, attempt, event.data.byteLength];
    case 'refusal':
      return ['n', time, status, attempt, 0, event.host, event.port, event.address, event.rule, event.more];
    case 'result':
      return ['r', time, status, attempt, ...named];
  }
}

/** The chunks' bytes end to end, or null where there are none. A single chunk is handed on, not copied. */
export function joinChunks(events: readonly NewEvent[], start: number, end: number): Uint8Array | null {
  let total = 0;
  let only: Uint8Array | null = null;
  for (let index = start; index < end; index++) {
    const event = events[index] as NewEvent;
    if (event.kind !== 'chunk') continue;
    total += event.data.byteLength;
    only = event.data;
  }
  if (only === null || only.byteLength === total) return only;
  const joined = Buffer.allocUnsafe(total);
  let offset = 0;
  for (let index = start; index < end; index++) {
    const event = events[index] as NewEvent;
    if (event.kind !== 'chunk') continue;
    joined.set(event.data, offset);
    offset += event.data.byteLength;
  }
  return joined;
}

/** The columns of a row of `segments` but for its bytes. */
export const segmentColumns =
  'position, execution_id, first_sequence, last_sequence, checksum, data_checksum, meta';

/** A row of `segments`. */
export interface SegmentRow extends SummedSegment {
  readonly checksum: number;
  readonly data: Uint8Array | null;
}

const noBytes = new Uint8Array();

/** The events of a row. Chunks are views of the row's bytes. Throws DamagedError where it is not whole. */
export function* decodeSegment(row: SegmentRow): Generator<LogEvent> {
  const metas = wholeMetasOf(row);
  if (bytesChecksum(row.data) !== row.data_checksum) throw damaged(row);
  yield* eventsOf(row, metas);
}

/** A row of a log in an engine that has checksums of its own, or none. */
export type PlainSegment = Omit<SegmentRow, 'checksum' | 'data_checksum'>;

/** As `decodeSegment` of a row without checksums. */
export function decodePlainSegment(row: PlainSegment): Generator<LogEvent> {
  return eventsOf(row, metasOf(row));
}

function* eventsOf(row: PlainSegment, metas: readonly EventMeta[]): Generator<LogEvent> {
  const data = row.data ?? noBytes;
  let offset = 0;
  for (const [index, meta] of metas.entries()) {
    switch (meta[0]) {
      case 't':
        yield transitionOf(row, index, meta);
        break;
      case 'r':
        yield { kind: 'result', ...commonOf(row, index, meta), ...namedBy(meta[4]) };
        break;
      case 'n':
        yield refusalOf(row, index, meta);
        break;
      default: {
        const common = commonOf(row, index, meta);
        const chunk = data.subarray(offset, offset + meta[4]);
        offset += meta[4];
        yield { kind: 'chunk', ...common, stream: meta[0] === 'o' ? 'stdout' : 'stderr', data: chunk };
      }
    }
  }
}

type RowPlace = Omit<SegmentRow, 'data'>;
type PlainPlace = Omit<PlainSegment, 'data'>;

function commonOf(row: PlainPlace, index: number, meta: EventMeta) {
  return {
    sequence: row.first_sequence + index,
    position: row.position + index,
    time: meta[1],
    status: meta[2],
    attempt: meta[3],
  };
}

function transitionOf(
  row: PlainPlace,
  index: number,
  meta: Extract<EventMeta, { 0: 't' }>,
): LoggedTransition {
  const [, , , , from, to, eventType, reasonCode, contextPatch, chartVersion, by] = meta;
  const common = { ...commonOf(row, index, meta), ...namedBy(by) };
  return { kind: 'transition', ...common, from, to, eventType, reasonCode, contextPatch, chartVersion };
}

function refusalOf(row: PlainPlace, index: number, meta: Extract<EventMeta, { 0: 'n' }>): LoggedRefusal {
  const [, , , , , host, port, address, rule, more] = meta;
  return { kind: 'refusal', ...commonOf(row, index, meta), host, port, address, rule, more };
}

function namedBy(by: string | undefined): { readonly by?: string } {
  return by === undefined ? {} : { by };
}

function metasOf(row: Pick<RowPlace, 'first_sequence' | 'meta'>): EventMeta[] {
  let cause: unknown;
  try {
    const metas = JSON.parse(row.meta) as EventMeta[];
    if (Array.isArray(metas) && metas.length > 0 && metas.every(Array.isArray)) return metas;
  } catch (error) {
    cause = error;
  }
  throw damaged(row, cause);
}

/** As `metasOf`, of a row that is as it was written. */
function wholeMetasOf(row: RowPlace): EventMeta[] {
  if (segmentChecksum(row) !== row.checksum) throw damaged(row);
  return metasOf(row);
}

/** Whether a row is as it was written. */
export function isWhole(row: SegmentRow): boolean {
  return segmentChecksum(row) === row.checksum && bytesChecksum(row.data) === row.data_checksum;
}

function damaged(row: Pick<RowPlace, 'first_sequence'>, cause?: unknown): DamagedError {
  return new DamagedError(`the log from event ${row.first_sequence} on is damaged`, { cause });
}

/** Takes the rows of one log in order, and throws DamagedError where one is missing in between. */
export class RowOrder {
  #next: number | undefined;

  follow(row: Pick<RowPlace, 'first_sequence' | 'last_sequence'>): void {
    const next = this.#next ?? row.first_sequence;
    if (row.first_sequence !== next) {
      throw new DamagedError(`the log from event ${next} on is missing, up to event ${row.first_sequence}`);
    }
    this.#next = row.last_sequence + 1;
  }
}

/** Reads the rows of a log, in order, for its outline: their bytes are not needed. */
export class OutlineReader {
  readonly #transitions: LoggedTransition[] = [];
  readonly #refusals: LoggedRefusal[] = [];
  readonly #output = { stdout: 0, stderr: 0 };
  #lastTime = 0;
  #attempt = 0;
  readonly #order = new RowOrder();

  /** Throws DamagedError where the row is not whole. */
  add(row: RowPlace): void {
    this.#add(row, wholeMetasOf(row));
  }

  /** As `add` of a row without checksums. */
  addPlain(row: PlainPlace): void {
    this.#add(row, metasOf(row));
  }

  #add(row: PlainPlace, metas: readonly EventMeta[]): void {
    this.#order.follow(row);
    for (const [index, meta] of metas.entries()) {
      this.#lastTime = meta[1];
      if (meta[0] === 't') {
        if (meta[3] !== this.#attempt) this.#beginAttempt(meta[3]);
        this.#transitions.push(transitionOf(row, index, meta));
      } else if (meta[0] === 'n') {
        this.#refusals.push(refusalOf(row, index, meta));
      } else if (meta[0] === 'o' || meta[0] === 'e') {
        this.#output[meta[0] === 'o' ? 'stdout' : 'stderr'] += meta[4];
      }
    }
  }

  outline(): LogOutline {
    const [transitions, refusals] = [this.#transitions, this.#refusals];
    return { transitions, refusals, lastTime: this.#lastTime, output: this.#output };
  }

  #beginAttempt(attempt: number): void {
    this.#attempt = attempt;
    this.#output.stdout = 0;
    this.#output.stderr = 0;
  }
}

/** A row's result alone, as the only event of its row, without checksums. Undefined where it does not end with one. */
export function plainResultOf(
  row: PlainPlace,
): Omit<PlainPlace, 'execution_id' | 'last_sequence'> | undefined {
  const metas = metasOf(row);
  const before = metas.length - 1;
  if (metas[before]?.[0] !== 'r') return undefined;
  return {
    position: row.position + before,
    first_sequence: row.first_sequence + before,
    meta: JSON.stringify(metas.slice(before)),
  };
}

/** A row's result alone, as the only event of its row. Undefined where it does not end with one, or is damaged. */
export function resultOf(row: RowPlace): RowPlace | undefined {
  let metas: EventMeta[];
  try {
    metas = wholeMetasOf(row);
  } catch (error) {
    if (error instanceof DamagedError) return undefined;
    throw error;
  }
  const before = metas.length - 1;
  if (metas[before]?.[0] !== 'r') return undefined;
  const alone = {
    position: row.position + before,
    execution_id: row.execution_id,
    first_sequence: row.first_sequence + before,
    last_sequence: row.last_sequence,
    data_checksum: bytesChecksum(null),
    meta: JSON.stringify(metas.slice(before)),
  };
  return { ...alone, checksum: segmentChecksum(alone) };
}

/** What a row says of itself, whatever its checksum says. Throws DamagedError where it says nothing. */
export function describeSegment(row: Pick<RowPlace, 'first_sequence' | 'meta'>): {
  readonly events: number;
  readonly chunkBytes: number;
  readonly results: number;
  readonly endsWithResult: boolean;
} {
  const metas = metasOf(row);
  let chunkBytes = 0;
  for (const meta of metas) if (meta[0] === 'o' || meta[0] === 'e') chunkBytes += meta[4];
  const results = metas.filter((meta) => meta[0] === 'r').length;
  return { events: metas.length, chunkBytes, results, endsWithResult: metas.at(-1)?.[0] === 'r' };
}
