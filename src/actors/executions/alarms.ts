/**
 * One heap of absolute instants and one timer for all of them. Its clock is one that nobody sets (`node-time.ts`).
 *
 * - An entry in the heap may be earlier than the instant that is wanted (it is put back when it comes up), so
 *   moving an alarm later, or dropping it, costs nothing at once.
 * - Stale entries never outnumber the wanted ones by much: past that the heap is built anew.
 */
import TinyQueue from 'tinyqueue';
import type { Clock, Timer } from '../../domain/clock.ts';

interface Entry {
  readonly key: string;
  readonly at: number;
}

interface Alarm {
  at: number;
  /** The earliest heap entry of this key. */
  standing: number;
}

/** Node fires a timer above this at once; longer waits are taken in steps. */
const longestTimerMs = 2 ** 31 - 1;
const slack = 1024;

const byInstant = (a: Entry, b: Entry): number => a.at - b.at;

export class Alarms {
  readonly #clock: Clock;
  readonly #ring: (key: string, at: number) => void;
  readonly #alarms = new Map<string, Alarm>();
  #heap = new TinyQueue<Entry>([], byInstant);
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  /** `ring` hears each alarm once, with an instant of the clock that is not before the one asked for. */
  constructor(clock: Clock, ring: (key: string, at: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get size(): number {
    return this.#alarms.size;
  }

  /** Sets the only alarm of `key`, in milliseconds of the clock; infinity is none. */
  set(key: string, at: number): void {
    if (at === Number.POSITIVE_INFINITY) {
      this.clear(key);
      return;
    }
    const alarm = this.#alarms.get(key);
    if (alarm?.at === at) return;
    if (alarm === undefined) {
      this.#alarms.set(key, { at, standing: at });
      this.#push({ key, at });
      return;
    }
    alarm.at = at;
    if (at < alarm.standing) {
      alarm.standing = at;
      this.#push({ key, at });
      this.#compact();
    }
  }

  clear(key: string): void {
    this.#alarms.delete(key);
    this.#compact();
  }

  /** The clock has moved, and its timers have not: what came due meanwhile rings now. */
  moved(): void {
    const next = this.#heap.peek();
    if (next !== undefined) this.#arm(next.at);
  }

  close(): void {
    this.#alarms.clear();
    this.#rebuild();
    this.#timer?.cancel();
  }

  #compact(): void {
    if (this.#heap.length > 2 * this.#alarms.size + slack) this.#rebuild();
  }

  #push(entry: Entry): void {
    this.#heap.push(entry);
    if (entry.at < this.#timerAt) this.#arm(entry.at);
  }

  #rebuild(): void {
    const entries: Entry[] = [];
    for (const [key, alarm] of this.#alarms) {
      alarm.standing = alarm.at;
      entries.push({ key, at: alarm.at });
    }
    this.#heap = new TinyQueue(entries, byInstant);
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    const delay = Math.min(Math.max(0, at - this.#clock.now()), longestTimerMs);
    this.#timer = this.#clock.setTimer(Math.ceil(delay), () => this.#wake());
  }

  #wake(): void {
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    const now = this.#clock.now();
    for (let entry = this.#heap.peek(); entry !== undefined && entry.at <= now; entry = this.#heap.peek()) {
      this.#heap.pop();
      const alarm = this.#alarms.get(entry.key);
      if (alarm === undefined || alarm.standing !== entry.at) continue;
      if (alarm.at > now) {
        alarm.standing = alarm.at;
        this.#heap.push({ key: entry.key, at: alarm.at });
      } else {
        this.#alarms.delete(entry.key);
        this.#ring(entry.key, Math.max(alarm.at, Math.round(this.#clock.now())));
      }
    }
    const next = this.#heap.peek();
    if (next !== undefined && next.at < this.#timerAt) this.#arm(next.at);
  }
}
