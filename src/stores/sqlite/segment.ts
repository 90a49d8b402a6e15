/**
 * A segment is the row that holds consecutive events of one log: `meta` is a JSON array with one array an
 * event, `data` the bytes of its chunks end to end. Position and sequence follow from the place.
 *
 * - transition: `['t', time, status, attempt, from, to, eventType, reasonCode, contextPatch, chartVersion]`
 * - chunk: `['o' (stdout) or 'e' (stderr), time, status, attempt, byteLength]`
 * - result: `['r', time, status, attempt]`
 */
import type { LogEvent, NewEvent } from '../../domain/event.ts';
import type { ExecutionStatus } from '../../domain/execution.ts';
import { chunkBytes } from '../page.ts';

type Common<K extends string> = [kind: K, time: number, status: ExecutionStatus, attempt: number];
type EventMeta =
  | [...Common<'t'>, string, string, string, string, string, number]
  | [...Common<'o' | 'e'>, byteLength: number]
  | Common<'r'>;

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
  const { time, status, attempt } = event;
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
      ];
    case 'chunk':
      return [event.stream === 'stdout' ? 'o' : 'e', time, status, attempt, event.data.byteLength];
    case 'result':
      return ['r', time, status, attempt];
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

/** A row of `segments`, without what its reader knows already. */
export interface SegmentRow {
  readonly position: number;
  readonly first_sequence: number;
  readonly meta: string;
  readonly data: Uint8Array | null;
}

const noBytes = new Uint8Array();

/** The events of a row. Chunks are views of the row's bytes. */
export function* decodeSegment(row: SegmentRow): Generator<LogEvent> {
  const metas = JSON.parse(row.meta) as EventMeta[];
  const data = row.data ?? noBytes;
  let offset = 0;
  for (const [index, meta] of metas.entries()) {
    const common = {
      sequence: row.first_sequence + index,
      position: row.position + index,
      time: meta[1],
      status: meta[2],
      attempt: meta[3],
    };
    switch (meta[0]) {
      case 't': {
        const [, , , , from, to, eventType, reasonCode, contextPatch, chartVersion] = meta;
        yield { kind: 'transition', ...common, from, to, eventType, reasonCode, contextPatch, chartVersion };
        break;
      }
      case 'r':
        yield { kind: 'result', ...common };
        break;
      default: {
        const chunk = data.subarray(offset, offset + meta[4]);
        offset += meta[4];
        yield { kind: 'chunk', ...common, stream: meta[0] === 'o' ? 'stdout' : 'stderr', data: chunk };
      }
    }
  }
}
