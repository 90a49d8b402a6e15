import type { Clock, Timer } from '../../domain/clock.ts';

/** Node fires a timer above this at once. */
const longestTimerMs = 2 ** 31 - 1;

/** One timer for the gate that opens next. */
export class OpeningTimer {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  /** As the clock's monotonic time. */
  #at = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings in so many milliseconds at the latest; earlier where that was asked for before. */
  set(ms: number): void {
    const delay = Math.min(Math.max(1, Math.ceil(ms)), longestTimerMs);
    const at = this.#clock.monotonic() + delay;
    // Nearly the same is the same: it is asked for at each look at the queue.
    if (at >= this.#at - 1) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.setTimer(delay, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }
}
