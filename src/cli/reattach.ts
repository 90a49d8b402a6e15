/** Holding on to an execution while connections come and go: it runs on the server, whoever watches. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from './exit-codes.ts';
import { isLostConnection } from './rpc-error.ts';
import type { Session } from './session.ts';
import { note } from './shell.ts';

const reconnectTimeoutMs = 30_000;
const firstPauseMs = 100;
const longestPauseMs = 2000;

/** The server stayed away for too long. The execution may well be going on. */
export class LostServerError extends Error {
  override readonly name = 'LostServerError';
  readonly exitCode = exitCodes.unreachable.code;
}

/** The pauses between tries to get at one execution; `succeeded` starts them anew. */
export class Reattachment {
  readonly #session: Session;
  readonly #executionId: string;
  readonly #signal: AbortSignal | undefined;
  #lostAt: number | undefined;
  #pauseMs = firstPauseMs;

  constructor(session: Session, executionId: string, signal?: AbortSignal) {
    this.#session = session;
    this.#executionId = executionId;
    this.#signal = signal;
  }

  succeeded(): void {
    if (this.#lostAt !== undefined) {
      note(this.#session.shell, `the server is back; going on with ${this.#executionId}`).catch(() => {});
    }
    this.#lostAt = undefined;
    this.#pauseMs = firstPauseMs;
  }

  /** Resolves when it is time to try again. Rethrows what is no lost connection; gives up after a while. */
  async afterLoss(error: unknown): Promise<void> {
    if (this.#signal?.aborted === true || !isLostConnection(error)) throw error;
    const { address, shell } = this.#session;
    if (this.#lostAt === undefined) {
      this.#lostAt = performance.now();
      await note(shell, `lost the server at ${address}; trying to go on with ${this.#executionId}`);
    }
    if (performance.now() - this.#lostAt > reconnectTimeoutMs) {
      throw new LostServerError(
        `cannot reach the server at ${address}; go on later with: ${this.#session.command('wait', this.#executionId)}`,
        { cause: error },
      );
    }
    await this.pause();
  }

  /** Also between answers that came too soon. */
  async pause(): Promise<void> {
    const ms = this.#pauseMs;
    this.#pauseMs = Math.min(2 * ms, longestPauseMs);
    await sleep(ms, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
  }
}
