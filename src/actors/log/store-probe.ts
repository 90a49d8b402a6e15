/**
 * What fails in the store beside commits: reads that look for work, and writes of what is no log. The committer hears of
 * none of it, and tries nothing again where there is nothing to commit; so somebody has to ask whether the store works.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { Fenced, type Store } from '../../stores/store.ts';

interface Parts {
  readonly store: Pick<Store, 'commit'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** False while commits fail: then the committer asks, and tells. */
  isCommitting(): boolean;
  health(error: Error | undefined): void;
}

const askMs = 1000;

export class StoreProbe {
  readonly #parts: Parts;
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Asks from now on, until the store works. */
  failed(error: unknown): void {
    if (this.#closed) return;
    this.#parts.health(error instanceof Error ? error : new Error(String(error)));
    this.#timer ??= this.#parts.clock.setTimer(askMs, () => void this.#ask());
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #ask(): Promise<void> {
    const { store, isCommitting, health } = this.#parts;
    try {
      await store.commit([]);
      this.#timer = undefined;
      if (!this.#closed && isCommitting()) health(undefined);
    } catch (error) {
      this.#timer = undefined;
      // The node ends, and says why.
      if (!(error instanceof Fenced)) this.failed(error);
    }
  }
}
