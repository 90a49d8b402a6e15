/**
 * Rings when the next schedule of the store is due: one timer for all of them, and no schedule in memory. It looks at
 * the wall clock at least once a second, so that a clock that is set is noticed.
 */
import type { Clock, Timer } from '../../domain/clock.ts';

const longestLookMs = 1000;

export interface ScheduleClockOptions {
  readonly clock: Clock;
  /**
   * Does what is due; `setBack` says that the clock shows less than the last time. Resolves with the next instant that
   * something is due; undefined for never. Must not reject.
   */
  run(now: number, setBack: boolean): Promise<number | undefined>;
}

export class ScheduleClock {
  readonly #options: ScheduleClockOptions;
  #timer: Timer | undefined;
  #nextAt = Number.POSITIVE_INFINITY;
  /** The earliest that was told of while it runs. */
  #toldAt = Number.POSITIVE_INFINITY;
  #running: Promise<void> | undefined;
  #lastLook: number;
  #stopped = false;

  constructor(options: ScheduleClockOptions) {
    this.#options = options;
    this.#lastLook = options.clock.now();
  }

  /** Looks at once. */
  start(): Promise<void> {
    return this.#look(true);
  }

  /** Looks anew, unless it does already. */
  look(): void {
    if (this.#running === undefined && !this.#stopped) void this.#look(true);
  }

  /** Something is due then. */
  dueAt(at: number): void {
    if (this.#running !== undefined) this.#toldAt = Math.min(this.#toldAt, at);
    else if (at < this.#nextAt) {
      this.#nextAt = at;
      this.#arm();
    }
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #arm(): void {
    if (this.#stopped || this.#nextAt === Number.POSITIVE_INFINITY) return;
    this.#timer?.cancel();
    const { clock } = this.#options;
    const wait = Math.min(longestLookMs, Math.max(0, this.#nextAt - clock.now()));
    this.#timer = clock.setTimer(Math.ceil(wait), () => void this.#look(false));
  }

  async #look(anyway: boolean): Promise<void> {
    const now = this.#options.clock.now();
    const setBack = now < this.#lastLook;
    this.#lastLook = now;
    if (!anyway && !setBack && now < this.#nextAt) return this.#arm();
    this.#running = this.#run(now, setBack);
    await this.#running;
    this.#running = undefined;
    this.#nextAt = Math.min(this.#nextAt, this.#toldAt);
    this.#toldAt = Number.POSITIVE_INFINITY;
    this.#arm();
  }

  async #run(now: number, setBack: boolean): Promise<void> {
    this.#nextAt = (await this.#options.run(now, setBack)) ?? Number.POSITIVE_INFINITY;
  }
}
