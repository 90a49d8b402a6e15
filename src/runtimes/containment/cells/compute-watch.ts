import type { Clock, Timer } from '../../../domain/clock.ts';

/** Processor time that one use may take before others go first, and the time between two looks at it. */
export const foregroundMs = 20;

interface ComputeWatchOptions {
  readonly clock: Clock;
  /** Microseconds that the instance has used so far; undefined where that cannot be known. */
  readonly cpuTimeUs: () => number | undefined;
  /** Whether others are to go before it where processors are short. */
  readonly setBackground: (background: boolean) => void;
}

/**
 * Moves an instance to the background while what it does takes long, so that short calls wait for short ones only; see
 * docs/decisions/0022-fair-share.md. Uses that follow each other quickly share one timer.
 */
export class ComputeWatch {
  readonly #options: ComputeWatchOptions;
  #timer: Timer | undefined;
  #background = false;
  #busy = false;
  #stopped = false;
  /** Which use it is, and which the last look was at. */
  #use = 0;
  #lookedAt = 0;
  /** Microseconds used by then. */
  #before = 0;

  constructor(options: ComputeWatchOptions) {
    this.#options = options;
  }

  /** A use begins; the one before has ended. */
  begin(): void {
    if (this.#stopped) return;
    this.#use += 1;
    this.#busy = true;
    this.#set(false);
    if (this.#timer === undefined) this.#wait();
  }

  /** The use has ended. */
  end(): void {
    if (this.#stopped) return;
    this.#busy = false;
    this.#set(false);
  }

  /** It is not used, and prepares itself for that. */
  background(): void {
    this.#set(true);
  }

  /** Its cell may be another's from now on. */
  stop(): void {
    this.#stopped = true;
    this.#busy = false;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = this.#options.clock.setTimer(foregroundMs, () => {
      this.#timer = undefined;
      if (this.#busy) this.#look();
    });
  }

  #look(): void {
    const used = this.#options.cpuTimeUs();
    if (used === undefined) return;
    if (this.#lookedAt === this.#use && used - this.#before >= foregroundMs * 1000) {
      this.#set(true);
      return;
    }
    if (this.#lookedAt !== this.#use) this.#before = used;
    this.#lookedAt = this.#use;
    this.#wait();
  }

  #set(background: boolean): void {
    if (background === this.#background) return;
    this.#background = background;
    this.#options.setBackground(background);
  }
}
