import type { Clock, Timer } from '../../domain/clock.ts';
import type { EngineConnection } from './connection.ts';
import { asEngineError } from './engine-error.ts';
import type { Freezer } from './freezer.ts';

const termMs = 5000;
/** The engine itself waits up to 10 s for the end of what it kills. */
const killMs = 15_000;

export type StopCause = 'signal' | 'cpu' | 'sockets' | 'layer' | 'closed';

interface StopLadderOptions {
  readonly connection: EngineConnection;
  readonly clock: Clock;
  readonly freezer: Freezer;
  readonly containerId: string;
  /** Between the rungs, in milliseconds; 0 means the last one at once. */
  readonly graceMs: number;
  /** Hears of the asking, which does not reject. */
  readonly onAsked: (asked: Promise<unknown>) => void;
  /** The engine does not do it. */
  readonly onFailed: (error: Error) => void;
}

/** Ends a container: asks it with SIGTERM, then kills it. The first cause wins. One that is paused goes on for it. */
export class StopLadder {
  /** Absent while nobody wants it ended. */
  cause: StopCause | undefined;
  /** The last one that was reached. */
  rung: 'term' | 'kill' = 'term';
  readonly #options: StopLadderOptions;
  #grace: Timer | undefined;
  #over = false;

  constructor(options: StopLadderOptions) {
    this.#options = options;
  }

  /** Only the caller of an attempt may ask for a grace. */
  stop(cause: StopCause): void {
    if (this.cause !== undefined || this.#over) return;
    this.cause = cause;
    const { clock, graceMs, onAsked, onFailed } = this.#options;
    if (cause !== 'signal' || graceMs === 0) {
      void this.#kill();
      return;
    }
    this.#grace = clock.setTimer(graceMs, () => void this.#kill());
    const asked = this.#ask().catch((error: Error) => {
      if (asEngineError(error).unreachable) onFailed(error);
      else void this.#kill();
    });
    onAsked(asked);
  }

  /** It has ended, or is no longer ours to end. */
  end(): void {
    this.#over = true;
    this.#grace?.cancel();
  }

  async #ask(): Promise<void> {
    await this.#options.freezer.thaw();
    await this.#signal('SIGTERM', termMs);
  }

  async #kill(): Promise<void> {
    this.rung = 'kill';
    const { freezer, onFailed } = this.#options;
    // One that is being paused would not die; one that is paused is let go on by the engine itself.
    await freezer.settled();
    await this.#signal('SIGKILL', killMs).catch(onFailed);
  }

  /** Rejects where the engine does not do it; that there is nothing to do it to is no error. */
  async #signal(signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<void> {
    const { connection, containerId } = this.#options;
    if (this.#over) return;
    try {
      await connection.call(withinMs, (docker) => docker.getContainer(containerId).kill({ signal }));
    } catch (cause) {
      const error = asEngineError(cause);
      if (error.status !== 404 && error.status !== 409) throw error;
    }
  }
}
