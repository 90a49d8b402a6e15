import { systemClock } from '../../src/actors/time/system-clock.ts';
import type { Clock } from '../../src/domain/clock.ts';

/** The clock of the system, whose timers of one length ring when a test says so, and never by themselves. */
export class HeldClock implements Clock {
  readonly #lengthMs: number;
  readonly #held = new Set<() => void>();

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return systemClock.monotonic();
  }

  setTimer(delayMs: number, ring: () => void): { cancel(): void } {
    if (delayMs !== this.#lengthMs) return systemClock.setTimer(delayMs, ring);
    this.#held.add(ring);
    return { cancel: () => void this.#held.delete(ring) };
  }

  /** Timers of that length that have been set, and have neither rung nor been cancelled. */
  get held(): number {
    return this.#held.size;
  }

  ring(): void {
    const all = [...this.#held];
    this.#held.clear();
    for (const ring of all) ring();
  }
}
