import type { LogEvent, NewEvent } from '../domain/event.ts';
import type { EventQuery } from './store.ts';

/** The most events of one page, so that a log of many tiny events does not become one huge array. */
export const maxPageEvents = 1000;

/** Collects the events of one `Store.events` answer and knows when it is full. */
export class EventPage {
  readonly events: LogEvent[] = [];
  readonly #from: number;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(query: EventQuery) {
    this.#from = query.from;
    this.#maxBytes = query.maxBytes;
  }

  /** Takes the log's next event, or skips it as one before the query's first. False when the page is full without it. */
  offer(event: LogEvent): boolean {
    if (event.sequence < this.#from) return true;
    const bytes = chunkBytes(event);
    const full = this.events.length >= maxPageEvents || this.#bytes + bytes > this.#maxBytes;
    if (full && this.events.length > 0) return false;
    this.events.push(event);
    this.#bytes += bytes;
    return true;
  }
}

/** Bytes of chunk data in an event; 0 for what is no chunk. */
export function chunkBytes(event: NewEvent): number {
  return event.kind === 'chunk' ? event.data.byteLength : 0;
}
