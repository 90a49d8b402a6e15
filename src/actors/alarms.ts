/**
 * One heap of absolute instants and one timer for all of them.
 *
 * - An entry in the heap may be earlier than the instant that is wanted (it is put back when it comes up), so
 *   moving an alarm later, or dropping it, costs nothing at once.
 * - Stale entries never outnumber the wanted ones by much: past that the heap is built anew.
 */
import TinyQueue from 'tinyqueue';
import type { Clock, Timer } from '../domain/clock.ts';

interface Entry {
  readonly key: string;
  /** Monotonic, so that a jump of the wall clock neither rings nor delays an armed alarm. */
  readonly due: number;
}

interface Alarm {
  /** Wall clock, as it was asked for. */
  at: number;
  due: number;
  /** The earliest heap entry of this key. */
  standing: number;
}

/** Node fires a timer above this at once; longer waits are taken in steps. */
const longestTimerMs = 2 ** 31 - 1;
const slack = 1024;

const byDue = (a: Entry, b: Entry): number => a.due - b.due;

export class Alarms {
  readonly #clock: Clock;
  readonly #ring: (key: string, at: number) => void;
  readonly #alarms = new Map<string, Alarm>();
  #heap = new TinyQueue<Entry>([], byDue);
  #timer: Timer | undefined;
  #timerDue = Number.POSITIVE_INFINITY;

  /** `ring` hears each alarm once, with a wall-clock instant that is not before the one asked for. */
  constructor(clock: Clock, ring: (key: string, at: number) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  get size(): number {
    return this.#alarms.size;
  }

  /** Sets the only alarm of `key`, in wall-clock milliseconds; infinity is none. */
  set(key: string, at: number): void {
    if (at === Number.POSITIVE_INFINITY) {
      this.clear(key);
      return;
    }
    const alarm = this.#alarms.get(key);
    if (alarm?.at === at) return;
    const due = this.#clock.monotonic() + Math.max(0, at - this.#clock.now());
    if (alarm === undefined) {
      this.#alarms.set(key, { at, due, standing: due });
      this.#push({ key, due });
      return;
    }
    alarm.at = at;
    alarm.due = due;
    if (due < alarm.standing) {
      alarm.standing = due;
      this.#push({ key, due });
      this.#compact();
    }
  }

  clear(key: string): void {
    this.#alarms.delete(key);
    this.#compact();
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
    if (entry.due < this.#timerDue) this.#arm(entry.due);
  }

  #rebuild(): void {
    const entries: Entry[] = [];
    for (const [key, alarm] of this.#alarms) {
      alarm.standing = alarm.due;
      entries.push({ key, due: alarm.due });
    }
    this.#heap = new TinyQueue(entries, byDue);
  }

  #arm(due: number): void {
    this.#timer?.cancel();
    this.#timerDue = due;
    const delay = Math.min(Math.max(0, due - this.#clock.monotonic()), longestTimerMs);
    this.#timer = this.#clock.setTimer(Math.ceil(delay), () => this.#wake());
  }

  #wake(): void {
    this.#timerDue = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let entry = this.#heap.peek(); entry !== undefined && entry.due <= now; entry = this.#heap.peek()) {
      this.#heap.pop();
      const alarm = this.#alarms.get(entry.key);
      if (alarm === undefined || alarm.standing !== entry.due) continue;
      if (alarm.due > now) {
        alarm.standing = alarm.due;
        this.#heap.push({ key: entry.key, due: alarm.due });
      } else {
        this.#alarms.delete(entry.key);
        this.#ring(entry.key, Math.max(alarm.at, Math.round(this.#clock.now())));
      }
    }
    const next = this.#heap.peek();
    if (next !== undefined && next.due < this.#timerDue) this.#arm(next.due);
  }
}
