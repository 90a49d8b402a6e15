/**
 * The lines of what nobody owns, as far as they are in the order of the dispatcher: of each its first ones, and more of
 * it when those have been given away.
 */
import type { ExecutionRecord } from '../../../domain/execution.ts';
import { leafOf, leafOfLine, lineOf } from '../../../domain/scheduling/line.ts';
import type { ClusterQueue } from '../../../stores/cluster-queue.ts';
import type { Slots } from '../../queue/slots.ts';

/** A line that has fewer in the order is read on, … */
const leastAhead = 64;
/** … by so many. */
const rowsAtOnce = 256;
/** Lines that are read at a time. */
const linesAtOnce = 16;

interface Line {
  reading: boolean;
  /** It has to be read again, whatever is in order of it. */
  again: boolean;
  /** There are more of it in the store. */
  goesOn: boolean;
}

export interface ClusterLinesHost {
  readonly queue: Pick<ClusterQueue, 'lines' | 'waiting'>;
  readonly slots: Slots;
  /** Of all that wait here or were given away and hold a slot. */
  readonly records: Map<string, ExecutionRecord>;
  /** Somebody may have a slot. */
  pump(): void;
  failed(error: unknown): void;
}

export class ClusterLines {
  readonly #host: ClusterLinesHost;
  readonly #lines = new Map<string, Line>();
  #closed = false;

  constructor(host: ClusterLinesHost) {
    this.#host = host;
  }

  /** Some wait that are not in the order. */
  get goesOn(): boolean {
    for (const line of this.#lines.values()) if (line.goesOn) return true;
    return false;
  }

  /** Reads what is there. Rejects with what the store rejects with. */
  async open(): Promise<void> {
    const lines = await this.#host.queue.lines();
    for (let from = 0; from < lines.length && !this.#closed; from += linesAtOnce) {
      await Promise.all(lines.slice(from, from + linesAtOnce).map((line) => this.#read(line)));
    }
  }

  /** More waits in these lines; in any where they are not named. */
  grown(lines: readonly string[] | undefined): void {
    if (lines !== undefined) for (const line of lines) void this.#read(line);
    else void this.open().catch((error: unknown) => this.#host.failed(error));
  }

  /** One of that line has been given away. */
  taken(record: ExecutionRecord): void {
    const leaf = leafOf(record);
    const name = lineOf(leaf);
    const line = this.#lines.get(name);
    if (line?.goesOn !== true || this.#host.slots.waitingIn(leaf) >= leastAhead) return;
    void this.#read(name);
  }

  close(): void {
    this.#closed = true;
  }

  async #read(name: string): Promise<void> {
    const { queue, slots, records, pump, failed } = this.#host;
    const leaf = leafOfLine(name);
    if (leaf === undefined || this.#closed) return;
    const line = this.#lines.get(name) ?? { reading: false, again: false, goesOn: false };
    this.#lines.set(name, line);
    if (line.reading) {
      line.again = true;
      return;
    }
    line.reading = true;
    try {
      do {
        line.again = false;
        // What is in the order is at the front of the line, and is read again.
        const limit = slots.waitingIn(leaf) + rowsAtOnce;
        if (limit > leastAhead + rowsAtOnce) {
          line.goesOn = true;
          break;
        }
        const page = await queue.waiting(name, limit);
        if (this.#closed) return;
        line.goesOn = page.length >= limit;
        for (const { record } of page) {
          if (records.has(record.executionId)) continue;
          records.set(record.executionId, record);
          slots.request(record.executionId, record.attempt > 0);
        }
      } while (line.again);
    } catch (error) {
      line.goesOn = true;
      failed(error);
    } finally {
      line.reading = false;
      if (!line.goesOn && slots.waitingIn(leaf) === 0) this.#lines.delete(name);
    }
    pump();
  }
}
