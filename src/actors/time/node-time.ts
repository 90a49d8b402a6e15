/**
 * Time as deadlines count it (I7): it runs as the world's does, whatever the wall clock is set to, also while the
 * machine sleeps, and a node that starts again goes on with that of its last run. See docs/recovery.md, "Clocks".
 */
import type { Clock, MachineClock, Timer, Uptime } from '../../domain/clock.ts';
import {
  type ClockRecord,
  leastStepMs,
  type Mark,
  type Moment,
  marked,
  passedSince,
  timeOfWall,
  wallBefore,
} from '../../domain/clock-record.ts';

/** One look at all the clocks. */
interface Look {
  readonly wall: number;
  readonly monotonic: number;
  readonly uptime: Uptime;
}

export class NodeTime implements Clock {
  readonly #clock: MachineClock;
  readonly #listeners: (() => void)[] = [];
  #marks: readonly Mark[];
  #last: Moment;
  #look: Look;
  #changes = 0;

  /**
   * `record` is what the last run left. `anew` says that nothing counts in its time any more, so that it may be the
   * wall clock's again.
   */
  constructor(clock: MachineClock, record?: ClockRecord, { anew = false }: { readonly anew?: boolean } = {}) {
    this.#clock = clock;
    const look = lookAt(clock);
    const { wall } = look;
    this.#look = look;
    if (record === undefined) {
      this.#last = { time: wall, wall, seen: 0 };
      this.#marks = marked([], this.#last, this.#last);
      return;
    }
    const { last, marks } = record;
    const passed = passedSince(record, look);
    this.#last = { time: anew ? wall : last.time + passed.ms, wall, seen: last.seen + passed.seenMs };
    this.#marks = marked(marks, last, this.#last);
  }

  /** Milliseconds since the epoch, as the wall clock would have them if it had never been set. Never runs backwards. */
  now(): number {
    return this.#last.time + this.#sinceLook(this.#clock.monotonic());
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  setTimer(delayMs: number, ring: () => void): Timer {
    return this.#clock.setTimer(delayMs, ring);
  }

  /** Calls `listener` each time that the machine is found to have slept: `now` has moved, and no timer with it. */
  onSlept(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** How often the machine was found to have slept or the wall clock to have been set. */
  get changes(): number {
    return this.#changes;
  }

  /** Sees whether the machine slept or the wall clock was set. */
  look(): void {
    const look = lookAt(this.#clock);
    const awake = this.#sinceLook(look.monotonic);
    const asleep = look.uptime.ms - this.#look.uptime.ms - awake;
    const slept = look.uptime.boot !== '' && asleep >= leastStepMs;
    const passed = awake + (slept ? asleep : 0);
    const before = this.#last;
    const now = { time: before.time + passed, wall: look.wall, seen: before.seen + passed };
    const marks = marked(this.#marks, before, now);
    if (slept || marks !== this.#marks) this.#changes += 1;
    this.#marks = marks;
    this.#last = now;
    // What the two clocks differ by while nothing happens must not add up.
    const uptime = slept ? look.uptime : { ...look.uptime, ms: this.#look.uptime.ms + awake };
    this.#look = { ...look, uptime };
    if (slept) for (const listener of this.#listeners) listener();
  }

  /** For the next run. */
  record(): ClockRecord {
    this.look();
    return { marks: this.#marks, last: this.#last, uptime: this.#look.uptime };
  }

  /** How long this start of the machine was up at `time`; less than nothing before it. */
  uptimeOf(time: number): Uptime {
    const { boot, ms } = this.#look.uptime;
    return { boot, ms: ms + time - this.#last.time };
  }

  /** When it was, as `now` counts, that the wall clock showed `wall`; in milliseconds since the epoch. */
  ofWall(wall: number): number {
    return timeOfWall(this.#marks, this.#moment(), wall);
  }

  /** Milliseconds that have passed since the wall clock showed `wall`. */
  sinceWall(wall: number): number {
    return Math.max(0, this.now() - this.ofWall(wall));
  }

  /** What the wall clock shows at `time`, if it is not set until then. */
  toWall(time: number): number {
    return this.#clock.now() + time - this.now();
  }

  /** See `wallBefore` of the clock record. */
  wallBefore(ageMs: number): number | undefined {
    this.look();
    return wallBefore(this.#marks, this.#moment(), ageMs);
  }

  #moment(): Moment {
    const passed = this.#sinceLook(this.#clock.monotonic());
    const { time, wall, seen } = this.#last;
    return { time: time + passed, wall: wall + passed, seen: seen + passed };
  }

  #sinceLook(monotonic: number): number {
    return Math.max(0, monotonic - this.#look.monotonic);
  }
}

const maxLooks = 5;
/** Between the first and the last of the clocks, in milliseconds: above it the process stood still in between. */
const lookMs = 10;

function lookAt(clock: MachineClock): Look {
  for (let looks = 1; ; looks++) {
    const monotonic = clock.monotonic();
    const look = { wall: clock.now(), monotonic, uptime: clock.uptime() };
    if (looks === maxLooks || clock.monotonic() - monotonic <= lookMs) return look;
  }
}
