import type { Clock, Timer } from '../../../domain/clock.ts';

/** Between two looks, however little is left. */
const minMs = 10;
const longestTimerMs = 2 ** 31 - 1;

interface CpuWatchOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  /** Microseconds that the process had used when the job began. */
  readonly startUs: number;
  /** Microseconds that the process has used so far; undefined where that is not known. */
  readonly used: () => number | undefined;
  /** Called at most once, and not after `stop`, with what the job used in microseconds. */
  readonly onUsedUp: (usedUs: number) => void;
}

/**
 * Tells when a job has used up its processor time. It is looked at when the rest could be used up by one thread at the
 * earliest: a guest that waits is hardly looked at, and one that computes is found out within about `minMs`.
 */
export class CpuWatch {
  readonly #options: CpuWatchOptions;
  #timer: Timer;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#timer = this.#lookIn(options.limitMs);
  }

  stop(): void {
    this.#timer.cancel();
  }

  #lookIn(delayMs: number): Timer {
    const delay = Math.min(Math.max(delayMs, minMs), longestTimerMs);
    return this.#options.clock.setTimer(delay, () => this.#look());
  }

  #look(): void {
    const { limitMs, startUs, used, onUsedUp } = this.#options;
    const usedUs = (used() ?? startUs) - startUs;
    if (usedUs < limitMs * 1000) this.#timer = this.#lookIn(limitMs - usedUs / 1000);
    else onUsedUp(usedUs);
  }
}
