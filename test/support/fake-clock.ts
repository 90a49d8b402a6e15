import type { MachineClock, Timer, Uptime } from '../../src/domain/clock.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly ring: () => void;
}

/** Node fires a timer above this at once, so nobody may ask for one. */
const longestTimerMs = 2 ** 31 - 1;

/** Where a clock begins: on a machine that has been up for a while, or goes on from another clock's. */
export interface FakeStart {
  readonly wall: number;
  readonly uptime?: Uptime;
}

/** A clock that stands still until it is told to move. */
export class FakeClock implements MachineClock {
  #wall: number;
  #monotonic = 5000;
  #uptime: Uptime;
  #order = 0;
  readonly #timers = new Set<Pending>();

  constructor({ wall, uptime }: FakeStart = { wall: 1_750_000_000_000 }) {
    this.#wall = wall;
    this.#uptime = uptime ?? { boot: 'boot 1', ms: 70_000 };
  }

  now(): number {
    return this.#wall;
  }

  uptime(): Uptime {
    return this.#uptime;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  setTimer(delayMs: number, ring: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= longestTimerMs)) throw new RangeError(`a timer of ${delayMs} ms`);
    const timer = { due: this.#monotonic + delayMs, order: this.#order++, ring };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Timers that have not rung and were not cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Moves both clocks on and rings what comes due on the way, in order, letting everything settle in between. */
  async advance(ms: number): Promise<void> {
    const target = this.#monotonic + ms;
    for (;;) {
      await settle();
      const next = this.#next();
      if (next === undefined || next.due > target) break;
      this.#moveTo(Math.max(next.due, this.#monotonic));
      this.#timers.delete(next);
      next.ring();
    }
    this.#moveTo(target);
    await settle();
  }

  /** The wall clock is set to another time; monotonic time stays. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** The machine sleeps: monotonic time and timers stand still meanwhile. */
  sleep(ms: number): void {
    this.#wall += ms;
    this.#uptime = { ...this.#uptime, ms: this.#uptime.ms + ms };
  }

  #moveTo(monotonic: number): void {
    const passed = monotonic - this.#monotonic;
    this.sleep(passed);
    this.#monotonic = monotonic;
  }

  #next(): Pending | undefined {
    let first: Pending | undefined;
    for (const timer of this.#timers) {
      if (
        first === undefined ||
        timer.due < first.due ||
        (timer.due === first.due && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }
}

/** Lets microtasks and immediates run until what was under way without a timer has come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Whether a promise has settled by now. */
export async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const mark = (): void => {
    settled = true;
  };
  promise.then(mark, mark);
  await settle();
  return settled;
}
