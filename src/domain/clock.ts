/** The latest instant that a Date can be, in milliseconds since the epoch: of a deadline that does not count yet. */
export const latestInstant = 8.64e15;

/** The only source of time and timers, so that tests can move it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never runs backwards. It may stand still while the machine sleeps. */
  monotonic(): number;
  /** Rings once after `delayMs` of monotonic time (at most 2^31-1). Does not keep the process alive. */
  setTimer(delayMs: number, ring: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

/** A clock that knows of its machine, too. */
export interface MachineClock extends Clock {
  /** How long the machine has been up, the time in which it slept included. No setting of a clock moves it. */
  uptime(): Uptime;
}

export interface Uptime {
  /** Names the start that `ms` counts from: only with the same one are two of them to be compared. Empty: with none. */
  readonly boot: string;
  readonly ms: number;
}
