import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogEvent } from '../../domain/event.ts';
import { chunkBytes, maxPageEvents } from '../page.ts';

/** What is read of logs in one turn of the event loop: more than one page, or this many bytes, is for the next. */
const mostEvents = maxPageEvents;
const mostBytes = 256 * 1024;

/** Reads are synchronous: a reader of a whole log, page after page, would let nobody else have a turn. */
export class ReadTurn {
  #events = 0;
  #bytes = 0;
  #next: Promise<void> | undefined;

  /** Settles when a page may be read, which is now unless enough was read in this turn. */
  async begin(): Promise<void> {
    while (this.#events >= mostEvents || this.#bytes >= mostBytes) await this.#next;
  }

  /** Counts what was read. */
  spend(page: readonly LogEvent[]): void {
    this.#events += page.length;
    this.#bytes += page.reduce((sum, event) => sum + chunkBytes(event), 0);
    this.#next ??= nextTurn().then(() => {
      this.#next = undefined;
      this.#events = 0;
      this.#bytes = 0;
    });
  }
}
