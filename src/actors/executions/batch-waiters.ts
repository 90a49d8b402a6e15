/**
 * Who waits for ends of batches. An end wakes those alone for whom enough have ended: were all of them to look at each
 * end, many who wait for a large batch would take the time of its members.
 */
import { type BatchState, hasEnded } from '../../domain/batch/batch.ts';

interface Waiter {
  /** Ends of the batch that were heard of when it began to wait, and how many more it needs; 0 until it has looked. */
  readonly heardBefore: number;
  needs: number;
  wake(): void;
}

interface Waited {
  heard: number;
  readonly waiters: Set<Waiter>;
}

export class BatchWaiters {
  readonly #look: (batchId: string) => Promise<BatchState | undefined>;
  readonly #batches = new Map<string, Waited>();
  #closed = false;

  /** `look` reads a batch as it is. */
  constructor(look: (batchId: string) => Promise<BatchState | undefined>) {
    this.#look = look;
  }

  /** An end of a member is durable. */
  ended(batchId: string): void {
    const waited = this.#batches.get(batchId);
    if (waited === undefined) return;
    waited.heard += 1;
    for (const waiter of waited.waiters) {
      if (waited.heard - waiter.heardBefore >= waiter.needs) waiter.wake();
    }
  }

  /** Something else of it is durable, or nothing will be any more. */
  wake(batchId: string): void {
    for (const waiter of this.#batches.get(batchId)?.waiters ?? []) waiter.wake();
  }

  close(): void {
    this.#closed = true;
    this.wakeAll();
  }

  wakeAll(): void {
    for (const batchId of this.#batches.keys()) this.wake(batchId);
  }

  /** Resolves with true when the end of that number is durable, or the batch is over or gone; false at the signal or `close`. */
  async beyond(batchId: string, sequence: number, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && !this.#closed) {
      const woken = Promise.withResolvers<void>();
      const waited: Waited = this.#batches.get(batchId) ?? { heard: 0, waiters: new Set() };
      this.#batches.set(batchId, waited);
      const wake = (): void => woken.resolve();
      const waiter: Waiter = { heardBefore: waited.heard, needs: 0, wake };
      // Before the look: what ends in between counts.
      waited.waiters.add(waiter);
      signal.addEventListener('abort', wake, { once: true });
      try {
        const state = await this.#look(batchId);
        if (state === undefined || state.counts.ended >= sequence || hasEnded(state)) return true;
        waiter.needs = Math.min(sequence, state.batch.members) - state.counts.ended;
        if (waited.heard - waiter.heardBefore < waiter.needs) await woken.promise;
      } finally {
        signal.removeEventListener('abort', wake);
        waited.waiters.delete(waiter);
        if (waited.waiters.size === 0 && this.#batches.get(batchId) === waited) this.#batches.delete(batchId);
      }
    }
    return false;
  }
}
