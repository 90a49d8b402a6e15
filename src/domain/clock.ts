/** The only source of time and timers, so that tests can move it. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Milliseconds from an arbitrary start; never runs backwards. */
  monotonic(): number;
  /** Rings once after `delayMs` of monotonic time (at most 2^31-1). Does not keep the process alive. */
  setTimer(delayMs: number, ring: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}
