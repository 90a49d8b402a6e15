/** Somebody who waits for events after `sequence`. */
export interface LogWaiter {
  readonly sequence: number;
  readonly wake: () => void;
}

/** Those who wait for a log to go on; each is woken once. */
export class LogWaiters {
  readonly #waiters = new Set<LogWaiter>();
  readonly #isBeyond: (sequence: number) => boolean;

  /** `isBeyond` says that the log has gone on beyond that sequence, or never will. */
  constructor(isBeyond: (sequence: number) => boolean) {
    this.#isBeyond = isBeyond;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Returns false where there is nothing to wait for. */
  add(waiter: LogWaiter): boolean {
    if (this.#isBeyond(waiter.sequence)) return false;
    this.#waiters.add(waiter);
    return true;
  }

  forget(waiter: LogWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** To be called whenever the log has gone on, or ends. */
  wake(): void {
    for (const waiter of this.#waiters) {
      if (!this.#isBeyond(waiter.sequence)) continue;
      this.#waiters.delete(waiter);
      waiter.wake();
    }
  }
}
