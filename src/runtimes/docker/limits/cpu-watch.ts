import type { Clock, Timer } from '../../../domain/clock.ts';

const minDelayMs = 20;
const maxDelayMs = 60_000;

interface CpuWatchOptions {
  readonly clock: Clock;
  /** Processor time that may be used, in milliseconds. */
  readonly limitMs: number;
  /** The most processors that can be busy with it at once. */
  readonly cores: number;
  /** Processor time used up to now, in milliseconds; undefined where that cannot be told now. */
  readonly read: () => Promise<number | undefined>;
  readonly onExceeded: () => void;
  /** It may have used some of it before. */
  readonly resumed: boolean;
}

/**
 * Looks after the processor time of a container. Each look sets the time of the next: not before the rest of the limit
 * could be used up with every processor busy. So an idle container is looked at seldom, and a busy one is found within
 * a few milliseconds of its limit.
 */
export class CpuWatch {
  /** As of the last look, in microseconds; absent before the first. */
  usedUs: number | undefined;
  readonly #options: CpuWatchOptions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#arm(options.resumed ? 0 : options.limitMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #arm(leftMs: number): void {
    const delay = Math.min(maxDelayMs, Math.max(minDelayMs, leftMs / this.#options.cores));
    this.#timer = this.#options.clock.setTimer(delay, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { limitMs, read, onExceeded } = this.#options;
    const usedMs = await read();
    if (this.#stopped) return;
    if (usedMs !== undefined) this.usedUs = Math.round(usedMs * 1000);
    if (usedMs !== undefined && usedMs >= limitMs) onExceeded();
    else this.#arm(limitMs - (usedMs ?? 0));
  }
}
