/** Holding on to a server while connections come and go: what it was asked for goes on there, whoever watches. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isLostConnection, isServiceError, readDetails } from './rpc-details.ts';

const firstPauseMs = 100;
const longestPauseMs = 2000;

export interface ReattachmentOptions {
  /** How long the server may stay away. */
  readonly patienceMs: number;
  /** What to fail with when it stayed away for longer. */
  readonly gaveUp: (cause: unknown) => Error;
  readonly signal?: AbortSignal | undefined;
  /** It went away, or is back after that. */
  readonly lost?: () => void | Promise<void>;
  readonly back?: () => void;
  /** Whether a failure is one that another try may mend; without it a lost connection. */
  readonly isLoss?: (error: unknown) => boolean;
}

/** The pauses between tries to get at one thing; `succeeded` starts them anew. */
export class Reattachment {
  readonly #options: ReattachmentOptions;
  #lostAt: number | undefined;
  #pauseMs = firstPauseMs;

  constructor(options: ReattachmentOptions) {
    this.#options = options;
  }

  succeeded(): void {
    if (this.#lostAt !== undefined) this.#options.back?.();
    this.#lostAt = undefined;
    this.#pauseMs = firstPauseMs;
  }

  /** Resolves when it is time to try again. Rethrows what is no lost connection; gives up after a while. */
  async afterLoss(error: unknown): Promise<void> {
    const { signal, patienceMs, gaveUp, lost, isLoss = isLostConnection } = this.#options;
    if (signal?.aborted === true || !isLoss(error)) throw error;
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      await lost?.();
    }
    const leftMs = patienceMs - (performance.now() - this.#lostAt);
    const askedMs = (isServiceError(error) ? readDetails(error).retryAfterMs : undefined) ?? 0;
    if (leftMs < 0 || askedMs > leftMs) throw gaveUp(error);
    await this.pause(askedMs);
  }

  /** Also between answers that came too soon. */
  async pause(atLeastMs = 0): Promise<void> {
    const ms = Math.max(this.#pauseMs, atLeastMs);
    const { signal } = this.#options;
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  }
}
