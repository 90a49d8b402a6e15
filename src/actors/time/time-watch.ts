import type { Clock, Timer } from '../../domain/clock.ts';
import type { ClockRecord } from '../../domain/clock-record.ts';
import type { NodeTime } from './node-time.ts';

interface TimeLogger {
  warn(fields: object, message: string): void;
}

export interface TimeWatchOptions {
  readonly clock: Clock;
  readonly time: NodeTime;
  /** Makes it durable. */
  readonly keep: (record: ClockRecord) => Promise<void>;
  readonly logger?: TimeLogger;
}

/** From one look to the next: what came due while the machine slept rings that late at most. */
const lookMs = 1000;
/** What a power cut may take from the time that was seen. */
const keepMs = 30_000;

/** Notices that the machine slept or its wall clock was set, and keeps the clock record for the next run. */
export class TimeWatch {
  readonly #options: TimeWatchOptions;
  #timer: Timer | undefined;
  #keeping: Promise<void> | undefined;
  #keptAt = Number.NEGATIVE_INFINITY;
  #keptChanges = 0;
  #failing = false;
  #stopped = false;

  constructor(options: TimeWatchOptions) {
    this.#options = options;
  }

  /** Resolves when the record is kept for the first time. Never rejects: where it cannot be kept, it is tried again. */
  async start(): Promise<void> {
    await this.#keep();
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#keeping;
    await this.#keep();
  }

  #arm(): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.setTimer(lookMs, () => {
      const { clock, time } = this.#options;
      time.look();
      const due = time.changes !== this.#keptChanges || clock.monotonic() - this.#keptAt >= keepMs;
      if (due && this.#keeping === undefined) {
        this.#keeping = this.#keep().finally(() => {
          this.#keeping = undefined;
        });
      }
      this.#arm();
    });
  }

  async #keep(): Promise<void> {
    const { clock, time, keep, logger } = this.#options;
    const at = clock.monotonic();
    const record = time.record();
    const { changes } = time;
    try {
      await keep(record);
      this.#keptAt = at;
      this.#keptChanges = changes;
      this.#failing = false;
    } catch (error) {
      if (!this.#failing)
        logger?.warn({ err: error }, 'the clock record cannot be written; it is tried again');
      this.#failing = true;
    }
  }
}
