/**
 * What waits for a slot, in memory as far as it is needed there: of each line its first ones are in the order of the
 * slots, and behind them the others are rows of the store, read a page at a time.
 *
 * - A line that has rows behind takes nobody in but from its rows: first come, first served.
 * - Whether an execution is live is another question, see `passivation.ts`.
 */
import { leafOf, leafOfLine, lineOf } from '../../domain/scheduling/line.ts';
import type { Leaf } from '../../domain/scheduling/priority.ts';
import type { Store, WaitingExecution, WaitingKey, WaitingLineCount } from '../../stores/store.ts';
import type { QueuePlace, Slots } from '../queue/slots.ts';
import type { LiveExecution } from './live-execution.ts';

/** How much of what waits is in memory. */
export interface WaitingBounds {
  /** So many that wait are live, whatever the store has. */
  readonly live: number;
  /** So many stand in the order of the slots, beyond which lines that are long enough go on in the store. */
  readonly ahead: number;
  /** A line that has fewer there is read on. */
  readonly aheadOfLine: number;
  /** Rows read at a time. */
  readonly rows: number;
}

export const waitingBounds: WaitingBounds = { live: 1024, ahead: 10_000, aheadOfLine: 64, rows: 256 };

/** Lines whose first rows are read before a start is over. */
const linesAtStart = 1000;
/** Of the others, those that are read in one turn of the event loop. */
const linesAtOnce = 64;

export interface BacklogHost {
  readonly store: Pick<Store, 'waiting' | 'waitingLines' | 'waitingBetween'>;
  readonly slots: Slots;
  readonly bounds: WaitingBounds;
  /** One that lives, as far as it does. */
  live(executionId: string): LiveExecution | undefined;
  /** It waits in the order of the slots from now on, and is not live. */
  readAhead(waiting: WaitingExecution): void;
  /** Somebody may have a slot. */
  pump(): void;
  failed(error: unknown): void;
}

/** Rows are counted up to so many. */
const maxCounted = 10_000;

/** A line that goes on in the store. */
interface Behind {
  readonly leaf: Leaf;
  /** Rows behind, as far as they are known. */
  count: number;
  /** All of the line up to here is in the order of the slots, or has left it. */
  from: WaitingKey;
  reading: boolean;
}

export class Backlog {
  readonly #host: BacklogHost;
  readonly #behind = new Map<string, Behind>();
  #count = 0;
  #closed = false;

  constructor(host: BacklogHost) {
    this.#host = host;
  }

  /** Rows that are behind, in all lines. */
  get size(): number {
    return this.#count;
  }

  /** There are lines that go on in the store. */
  get goesOn(): boolean {
    return this.#behind.size > 0;
  }

  /** Rows behind in the line of a leaf. */
  behind(leaf: Leaf): number {
    return this.#behind.get(lineOf(leaf))?.count ?? 0;
  }

  /** Undefined for one that does not wait. A place beyond ten thousand rows is said to be there. */
  async placeOf(execution: LiveExecution): Promise<QueuePlace | undefined> {
    const { slots, store } = this.#host;
    const { executionId, log } = execution;
    const leaf = leafOf(log.record);
    const known = this.#behind.get(lineOf(leaf));
    const place = slots.place(executionId);
    if (place !== undefined) return { ...place, length: place.length + (known?.count ?? 0) };
    if (known === undefined || log.place === undefined || execution.behind === 'no') return undefined;
    const length = slots.waitingIn(leaf);
    const before = { since: log.place.since, executionId };
    const rows = await store.waitingBetween(lineOf(leaf), known.from, before, maxCounted);
    return { place: length + rows + 1, length: length + Math.max(known.count, rows + 1), retries: 0 };
  }

  /** It waits, or its admission, with its place, is durable now. */
  join(execution: LiveExecution): void {
    const { slots } = this.#host;
    const { executionId, log } = execution;
    if (execution.behind === 'counted' || slots.waits(executionId) || slots.holds(executionId)) return;
    const leaf = leafOf(log.record);
    const line = lineOf(leaf);
    let known = this.#behind.get(line);
    const { place } = log;
    // What has no place could not be found again.
    if (place === undefined) known = undefined;
    else if (known === undefined && execution.behind === 'no' && this.#isLong(leaf)) {
      known = { leaf, count: 0, from: { since: place.since, executionId: '' }, reading: false };
      this.#behind.set(line, known);
    }
    if (place === undefined || known === undefined || !isAfter({ ...place, executionId }, known.from)) {
      execution.behind = 'no';
      slots.request(executionId, false);
      return;
    }
    execution.behind = log.isPlaced ? 'counted' : 'yes';
    if (execution.behind === 'counted') this.#add(known, 1);
  }

  /** It is live again, from its row. */
  revived(execution: LiveExecution): void {
    const { slots } = this.#host;
    const { executionId, log } = execution;
    execution.behind = 'no';
    if (slots.waits(executionId) || slots.holds(executionId)) return;
    const known = this.#behind.get(lineOf(leafOf(log.record)));
    if (
      known !== undefined &&
      log.place !== undefined &&
      isAfter({ ...log.place, executionId }, known.from)
    ) {
      execution.behind = 'counted';
    } else {
      // It lost its place, as the store could not be read when its slot came.
      slots.request(executionId, false);
    }
  }

  /** It waits no more. */
  left(execution: LiveExecution): void {
    if (execution.behind === 'counted') {
      const known = this.#behind.get(lineOf(leafOf(execution.log.record)));
      if (known !== undefined) this.#add(known, -1);
    }
    execution.behind = 'no';
  }

  /** One of a leaf has its slot, or waits no more: its line is read on where it has become short. */
  taken(leaf: Leaf): void {
    const known = this.#behind.get(lineOf(leaf));
    const { slots, bounds } = this.#host;
    if (known !== undefined && slots.waitingIn(leaf) < bounds.aheadOfLine) void this.#readOn(known);
  }

  /** Lines that are short are read on: the store could not be read, and can be again. */
  retry(): void {
    for (const { leaf } of this.#behind.values()) this.taken(leaf);
  }

  /** Takes up the lines that the store has. Resolves with how many wait in them, when the first are in order. */
  async open(): Promise<readonly WaitingLineCount[]> {
    const lines = await this.#host.store.waitingLines();
    const found: Behind[] = [];
    for (const { line, count } of lines) {
      const leaf = leafOfLine(line);
      if (leaf === undefined) continue;
      const known = { leaf, count: 0, from: first, reading: false };
      this.#behind.set(line, known);
      this.#add(known, count);
      found.push(known);
    }
    const { ahead, rows: most } = this.#host.bounds;
    const rows = Math.max(1, Math.min(most, Math.floor(ahead / Math.max(1, found.length))));
    for (const known of found.slice(0, linesAtStart)) await this.#read(known, rows);
    void this.#readAll(found.slice(linesAtStart), rows);
    return lines;
  }

  /** So many rows are in a line now that came at `since`, or later. */
  adopt({ line, count }: WaitingLineCount, since: number): void {
    const leaf = leafOfLine(line);
    if (leaf === undefined) return;
    const known = this.#behind.get(line) ?? {
      leaf,
      count: 0,
      from: { since, executionId: '' },
      reading: false,
    };
    // Others' that were taken over may have come before what was read already.
    if (since <= known.from.since) known.from = { since, executionId: '' };
    this.#behind.set(line, known);
    this.#add(known, count);
    this.taken(leaf);
  }

  /** Reads no more. */
  close(): void {
    this.#closed = true;
  }

  async #readAll(lines: readonly Behind[], rows: number): Promise<void> {
    for (const [index, known] of lines.entries()) {
      if (this.#closed) return;
      await this.#read(known, rows);
      // Reads are synchronous: others have their turn, and who can run does.
      if (index % linesAtOnce !== linesAtOnce - 1) continue;
      this.#host.pump();
      await new Promise((resolve) => void setImmediate(resolve));
    }
    this.#host.pump();
  }

  #isLong(leaf: Leaf): boolean {
    const { slots, bounds } = this.#host;
    // Where lines are many, one of each has to do.
    const enough = slots.queued >= 2 * bounds.ahead ? 1 : bounds.aheadOfLine;
    return slots.queued >= bounds.ahead && slots.waitingIn(leaf) >= enough;
  }

  async #readOn(known: Behind): Promise<void> {
    if (known.reading) return;
    await this.#read(known, this.#host.bounds.rows);
    this.#host.pump();
  }

  async #read(known: Behind, rows: number): Promise<void> {
    const { store, failed } = this.#host;
    const line = lineOf(known.leaf);
    if (this.#closed || known.reading || this.#behind.get(line) !== known) return;
    known.reading = true;
    try {
      const page = await store.waiting(line, known.from, rows);
      for (const waiting of page) this.#take(known, waiting);
      // Those that are on their way to the store find no line when they are there, and join it anew.
      if (page.length === 0) {
        this.#add(known, -known.count);
        this.#behind.delete(line);
      }
    } catch (error) {
      failed(error);
    } finally {
      known.reading = false;
    }
  }

  #take(known: Behind, waiting: WaitingExecution): void {
    const { slots, live, readAhead } = this.#host;
    const { record, place } = waiting;
    const { executionId } = record;
    known.from = { since: place.since, executionId };
    if (slots.waits(executionId) || slots.holds(executionId)) return;
    const execution = live(executionId);
    if (execution === undefined) {
      this.#add(known, -1);
      readAhead(waiting);
    } else {
      // Something happens to it that the store does not know yet.
      if (execution.state !== 'pending.queued' || execution.handOver !== 'no') return;
      if (execution.behind === 'counted') this.#add(known, -1);
      execution.behind = 'no';
    }
    slots.request(executionId, false);
  }

  #add(known: Behind, count: number): void {
    known.count += count;
    this.#host.slots.store(known.leaf, count);
    this.#count += count;
  }
}

const first: WaitingKey = { since: Number.NEGATIVE_INFINITY, executionId: '' };

function isAfter(a: WaitingKey, b: WaitingKey): boolean {
  return a.since > b.since || (a.since === b.since && a.executionId > b.executionId);
}
