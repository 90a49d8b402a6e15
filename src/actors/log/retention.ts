/**
 * Deletes in the background what is not kept: finished executions beyond an age, and logs and then records beyond a
 * size. Each step is short and followed by a pause, so that nobody waits behind it.
 *
 * An age is believed as far as the node has seen time pass: neither a clock that is set nor one that is wrong after the
 * machine was off makes anything old.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { type Duty, ownDuty } from '../../domain/duty.ts';
import type { Store } from '../../stores/store.ts';
import type { NodeTime } from '../time/node-time.ts';

interface RetentionLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface RetentionOptions {
  readonly store: Pick<Store, 'retain' | 'lowSpace'>;
  readonly clock: Clock;
  readonly time: Pick<NodeTime, 'now' | 'wallBefore'>;
  /** How long a finished execution is kept, in milliseconds. */
  readonly maxAgeMs: number;
  /** Bytes that the store may use. */
  readonly maxBytes: number;
  /** Deleting; by default this node's. */
  readonly duty?: Pick<Duty, 'isMine'>;
  readonly logger?: RetentionLogger;
}

/** Between two steps, at least, in milliseconds; otherwise as long as the step took, so that half of the time is others'. */
const leastPauseMs = 2;
/** From one round to the next, in milliseconds, … */
const roundPauseMs = 10_000;
/** … and where the disk is full, so that it is soon seen that it is no more. */
const lowSpacePauseMs = 500;
/** Above any commit, registration or restore that has written a file and not yet named it, in milliseconds. */
const unusedForMs = 60 * 60 * 1000;

export class RetentionLoop {
  readonly #options: RetentionOptions;
  #timer: Timer | undefined;
  #wake: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;
  #failing = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#begin();
  }

  /** Resolves when no step is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#wake?.();
    await this.#round;
  }

  #begin(): void {
    this.#round = this.#run().finally(() => {
      if (this.#stopped) return;
      const { clock, store } = this.#options;
      this.#timer = clock.setTimer(store.lowSpace ? lowSpacePauseMs : roundPauseMs, () => this.#begin());
    });
  }

  /** One round: steps until nothing is left to do. Never rejects: a store that fails now works again later. */
  async #run(): Promise<void> {
    const { store, clock, time, maxAgeMs, maxBytes, duty = ownDuty, logger } = this.#options;
    if (!duty.isMine()) return;
    let executions = 0;
    let logs = 0;
    try {
      for (let more = true; more && !this.#stopped; ) {
        const begun = clock.monotonic();
        const step = await store.retain({
          endedBefore: time.wallBefore(maxAgeMs) ?? 0,
          maxBytes,
          now: time.now(),
          unusedForMs,
          writtenBefore: time.wallBefore(unusedForMs) ?? 0,
        });
        executions += step.deletedExecutions.length;
        logs += step.deletedLogs;
        more = step.more;
        if (more) await this.#pause(Math.max(leastPauseMs, clock.monotonic() - begun));
      }
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) logger?.warn({ err: error }, 'what is old could not be deleted; it is tried again');
      this.#failing = true;
    }
    if (executions + logs > 0) logger?.info({ executions, logs }, 'what is not kept was deleted');
  }

  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#timer = this.#options.clock.setTimer(ms, resolve);
    });
  }
}
