import type { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../domain/clock.ts';
import type { ThreadMemory } from './protocol.ts';

/** Between two looks, however little is left. */
const leastMs = 10;
const longestTimerMs = 2 ** 31 - 1;

interface CpuWatchOptions {
  readonly clock: Clock;
  readonly limitMs: number;
  readonly worker: Pick<Worker, 'cpuUsage'>;
  /** Of the thread's memory. */
  readonly cpuStart: ThreadMemory['cpuStart'];
  /** Called at most once, and not after `stop`. */
  readonly onUsedUp: (usedUs: number) => void;
}

/**
 * Tells when a job has used up its CPU time. A thread uses no more of it than time goes by, so it is looked at when
 * the rest could be used up at the earliest: a guest that waits is hardly looked at, and one that computes is found
 * out within about `leastMs`. Work in other threads on its behalf (files, sockets) is not counted.
 */
export class CpuWatch {
  readonly #options: CpuWatchOptions;
  #timer: Timer;
  #over = false;

  constructor(options: CpuWatchOptions) {
    this.#options = options;
    this.#timer = this.#lookIn(options.limitMs);
  }

  stop(): void {
    this.#over = true;
    this.#timer.cancel();
  }

  #lookIn(delayMs: number): Timer {
    const delay = Math.min(Math.max(delayMs, leastMs), longestTimerMs);
    return this.#options.clock.setTimer(delay, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { limitMs, onUsedUp } = this.#options;
    const used = await this.#usedUs();
    if (this.#over) return;
    if (used < limitMs * 1000) {
      this.#timer = this.#lookIn(limitMs - used / 1000);
      return;
    }
    this.#over = true;
    onUsedUp(used);
  }

  /** Microseconds since the job began. */
  async #usedUs(): Promise<number> {
    const { worker, cpuStart } = this.#options;
    const [start = -1] = cpuStart;
    if (start < 0) return 0;
    try {
      // It answers during an endless loop too.
      const { user, system } = await worker.cpuUsage();
      return user + system - start;
    } catch {
      // A thread that is just starting, or ends, cannot be asked; who ends it also stops the watch.
      return 0;
    }
  }
}
