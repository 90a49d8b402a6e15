import type { Clock, Timer } from '../../domain/clock.ts';
import { maxOpenFiles } from './open-files.ts';

/** What an instance holds: three streams, and the files of its cell. */
const heldByEach = 17;
/** For the node itself, its callers, and streams that wait for a program. */
const heldByOthers = 50;
/** For how long a start waits in line, in milliseconds. */
const waitTimeoutMs = 10_000;

interface Waiting {
  readonly give: (granted: boolean) => void;
  readonly timer: Timer;
}

/**
 * Lets as many instances be at once as the node has descriptors for. Without it those that are being started would take
 * all that there are from each other, and none would get what it needs.
 */
export class DescriptorBudget {
  readonly #clock: Clock;
  readonly #waiting: Waiting[] = [];
  #left: number;

  constructor(clock: Clock, limit = maxOpenFiles()) {
    this.#clock = clock;
    this.#left = Math.max(1, Math.floor((limit - heldByOthers) / heldByEach));
  }

  /** True at once where there is room; else resolves with true when there is, or with false when that took too long. */
  take(): true | Promise<boolean> {
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiting: Waiting = {
      give: resolve,
      timer: this.#clock.setTimer(waitTimeoutMs, () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        resolve(false);
      }),
    };
    this.#waiting.push(waiting);
    return promise;
  }

  giveBack(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#left += 1;
      return;
    }
    waiting.timer.cancel();
    waiting.give(true);
  }
}
