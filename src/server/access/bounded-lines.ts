/** Lines of the log that callers cause: their rate is bounded, whatever callers do. */
import type { Clock } from '../../domain/clock.ts';
import { LruMap } from '../../domain/lru-map.ts';

/** A line for each key in that time, and so many of all, in milliseconds. */
const windowMs = 10_000;
const mostLines = 10;
/** Keys that are remembered. */
const mostKeys = 10_000;

interface Told {
  at: number;
  untold: number;
}

export class BoundedLines {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #keys = new LruMap<string, Told>(mostKeys);
  #windowAt = Number.NEGATIVE_INFINITY;
  #lines = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Calls `write` where there is room for a line; `times` is how often this was asked since the line before. */
  tell(key: string, write: (times: number) => void): void {
    let entry = this.#keys.get(key);
    if (entry === undefined) {
      entry = { at: Number.NEGATIVE_INFINITY, untold: 0 };
      this.#keys.set(key, entry);
    }
    entry.untold += 1;
    const now = this.#clock.monotonic();
    if (now - entry.at < windowMs) return;
    if (now - this.#windowAt >= windowMs) {
      this.#windowAt = now;
      this.#lines = 0;
    }
    if (this.#lines >= mostLines) return;
    this.#lines += 1;
    const times = entry.untold;
    entry.at = now;
    entry.untold = 0;
    write(times);
  }
}
