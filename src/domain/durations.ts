/** How long functions have taken: the last runs of each, from which the next one is guessed. Pure. */

import { LruMap } from './lru-map.ts';

/** By function, the one used last at the end; milliseconds, the oldest first. */
export type StoredDurations = readonly (readonly [key: string, durationsMs: readonly number[]])[];

interface History {
  readonly recent: number[];
  /** In order; undefined until it is wanted. */
  sorted: readonly number[] | undefined;
  /** The median, as it was when so many more had been learned that it is worth another look. */
  typical?: { readonly ms: number; readonly until: number };
}

/** Runs after which the median is looked for again. */
const typicalFor = 16;

const historyLength = 50;
/** Functions remembered; the one least recently completed goes first. */
const mostFunctions = 10_000;
/** The guess for a function without history, in milliseconds. */
const unknownMs = 5000;
/** What is written down: enough for the functions in use, and little to write. */
const mostStored = 1000;
const storedLength = 20;

export class Durations {
  readonly #histories = new LruMap<string, History>(mostFunctions);
  #version = 0;

  constructor(stored: StoredDurations = []) {
    for (const [key, recent] of stored) {
      this.#histories.set(key, { recent: recent.slice(-historyLength), sorted: undefined });
    }
  }

  /** Moves on with each thing learned. */
  get version(): number {
    return this.#version;
  }

  /** A run of the function has completed. */
  learn(key: string, durationMs: number): void {
    const known = this.#histories.peek(key);
    const recent = known?.recent ?? [];
    recent.push(durationMs);
    if (recent.length > historyLength) recent.shift();
    this.#histories.set(key, {
      recent,
      sorted: undefined,
      ...(known?.typical && { typical: known.typical }),
    });
    this.#version += 1;
  }

  knows(key: string): boolean {
    return this.#histories.has(key);
  }

  /**
   * Milliseconds that a run which has taken `elapsedMs` will likely take yet: the median of what those runs took that
   * were longer. One that is longer than all before takes, as far as anybody knows, as long again as it is over them;
   * and one of a function that nobody knows at least as long as it has taken.
   */
  left(key: string, elapsedMs: number): number {
    const sorted = this.#sorted(key);
    const longest = sorted?.at(-1);
    if (sorted === undefined || longest === undefined) return Math.max(unknownMs - elapsedMs, elapsedMs);
    if (elapsedMs >= longest) return elapsedMs - longest;
    const from = sorted.findIndex((each) => each > elapsedMs);
    return (sorted[from + Math.floor((sorted.length - from) / 2)] ?? longest) - elapsedMs;
  }

  /** Milliseconds that a run which begins now will likely take; costs next to nothing, and is a little behind. */
  typical(key: string): number {
    const history = this.#histories.peek(key);
    if (history === undefined) return unknownMs;
    if (history.typical === undefined || this.#version >= history.typical.until) {
      history.typical = { ms: this.left(key, 0), until: this.#version + typicalFor };
    }
    return history.typical.ms;
  }

  /** For the next start of the node. */
  stored(): StoredDurations {
    return [...this.#histories]
      .slice(-mostStored)
      .map(([key, { recent }]) => [key, recent.slice(-storedLength).map((ms) => Number(ms.toFixed(3)))]);
  }

  #sorted(key: string): readonly number[] | undefined {
    const history = this.#histories.peek(key);
    if (history === undefined) return undefined;
    history.sorted ??= history.recent.toSorted((a, b) => a - b);
    return history.sorted;
  }
}
