import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogEvent } from '../../../domain/event.ts';
import { chunkBytes, maxPageEvents } from '../../page.ts';

/** What is read in one turn of the event loop: more events or rows than a page has, or so many bytes, is for the next. */
const mostRead = maxPageEvents;
const mostBytes = 256 * 1024;

/**
 * Reads are synchronous: a reader of a whole log or list, page after page or row after row, would let nobody else have a
 * turn.
 */
export class ReadTurn {
  #read = 0;
  #bytes = 0;
  #next: Promise<void> | undefined;

  get isOver(): boolean {
    return this.#read >= mostRead || this.#bytes >= mostBytes;
  }

  /** Settles when a page may be read, which is now unless enough was read in this turn. */
  async begin(): Promise<void> {
    while (this.isOver) await this.#next;
  }

  /** Counts what was read. */
  spend(page: readonly LogEvent[]): void {
    const bytes = page.reduce((sum, event) => sum + chunkBytes(event), 0);
    this.#spend(page.length, bytes);
  }

  /** Counts rows of a list, or a row that was read by itself. */
  spendRows(count: number): void {
    this.#spend(count, 0);
  }

  #spend(read: number, bytes: number): void {
    this.#read += read;
    this.#bytes += bytes;
    this.#next ??= nextTurn().then(() => {
      this.#next = undefined;
      this.#read = 0;
      this.#bytes = 0;
    });
  }
}
