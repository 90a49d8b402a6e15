import type { Clock } from '../../domain/clock.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import type { Instance } from '../../runtimes/runtime.ts';

/** How long who asks for an attempt's instance waits for its start, in ms: less than a caller's usual deadline. */
const START_WAIT_MS = 10_000;

/** Which instance runs the attempt of each execution now, for whoever pauses that instance or lets go of it. */
export class Serving {
  readonly #attempts = new Map<string, ServedAttempt>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** An attempt of the execution begins to look for its instance. */
  begin(executionId: string): void {
    this.#attempts.set(executionId, { instance: undefined, started: Promise.withResolvers() });
  }

  /** False where the attempt was let go of meanwhile. */
  found(executionId: string, instance: Instance): boolean {
    const attempt = this.#attempts.get(executionId);
    if (attempt === undefined) return false;
    attempt.instance = instance;
    attempt.started.resolve();
    return true;
  }

  end(executionId: string): void {
    this.#attempts.get(executionId)?.started.resolve();
    this.#attempts.delete(executionId);
  }

  /**
   * The instance that serves the execution; one that is being started is waited for, for up to 10 s.
   * Rejects with a RequestError, failed_precondition, where there is none.
   */
  async instance(executionId: string): Promise<Instance> {
    const attempt = this.#attempts.get(executionId);
    if (attempt !== undefined && attempt.instance === undefined) await this.#untilStarted(attempt);
    const instance = attempt?.instance;
    if (instance !== undefined && this.#attempts.get(executionId) === attempt) return instance;
    const starting = this.#attempts.has(executionId);
    throw new RequestError(
      'failed_precondition',
      starting
        ? `the attempt of execution ${quote(executionId)} is still being started; try again in a moment`
        : `no attempt of execution ${quote(executionId)} is running`,
      { reason: 'NOT_RUNNING', metadata: { execution: executionId } },
    );
  }

  /** Lets go of the instance, or of the attempt while it has none. */
  release(executionId: string): void {
    this.#attempts.get(executionId)?.instance?.release?.();
    this.end(executionId);
  }

  async #untilStarted({ started }: ServedAttempt): Promise<void> {
    const waited = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(START_WAIT_MS, waited.resolve);
    await Promise.race([started.promise, waited.promise]);
    timer.cancel();
  }
}

interface ServedAttempt {
  /** Undefined while it is looked for. */
  instance: Instance | undefined;
  /** Resolves when the instance is found, or the attempt is over. */
  readonly started: PromiseWithResolvers<void>;
}
