import type { LogEvent, NewEvent } from '../../domain/event.ts';

const mostWeight = 256 * 1024;
/** What one commit of a log may bring, for readers that wait for it. */
const mostAwaitedWeight = 2 * 1024 * 1024;
/** What an event without data is taken to weigh, in bytes. */
const eventWeight = 256;

/** The last committed events of a log, as many as fit. A reader further behind reads the store. */
export class LogTail {
  #events: NewEvent[] = [];
  /** Of each of them. */
  #positions: number[] = [];
  #weight = 0;

  push(event: NewEvent, position: number): void {
    this.#events.push(event);
    this.#positions.push(position);
    this.#weight += weight(event);
  }

  /**
   * Lets go of the oldest beyond the limit; the last event stays whatever it weighs. Where somebody waits for what was
   * committed just now, all of it stays until they have read it.
   */
  trim(awaited: boolean): void {
    const most = awaited ? mostAwaitedWeight : mostWeight;
    let drop = 0;
    while (this.#weight > most && drop < this.#events.length - 1) {
      this.#weight -= weight(this.#events[drop] as NewEvent);
      drop++;
    }
    if (drop === 0) return;
    this.#events = this.#events.slice(drop);
    this.#positions = this.#positions.slice(drop);
  }

  /** Events from a sequence number on, about `maxBytes` of output; undefined where that one is not here any more. */
  read(from: number, maxBytes: number): readonly LogEvent[] | undefined {
    const oldest = this.#events[0];
    if (oldest === undefined || from < oldest.sequence) return undefined;
    const page: LogEvent[] = [];
    let bytes = 0;
    for (let index = from - oldest.sequence; index < this.#events.length; index++) {
      const event = this.#events[index] as NewEvent;
      if (event.kind === 'chunk') bytes += event.data.byteLength;
      if (bytes > maxBytes && page.length > 0) break;
      // Most logs are never read: whoever reads pays for the copy.
      page.push({ ...event, position: this.#positions[index] as number });
    }
    if (page.at(-1)?.sequence === this.#events.at(-1)?.sequence) this.trim(false);
    return page;
  }
}

function weight(event: NewEvent): number {
  return event.kind === 'chunk' ? event.data.byteLength + eventWeight : eventWeight;
}
