import { type ConcurrencyUse, Gate, type Meter, roundsMs } from './gate.ts';

/** The attempts that run with one value of a key. */
export class Counter implements Meter {
  readonly gates: Gate[] = [];
  readonly running = new Set<string>();

  isClear(): boolean {
    return this.running.size === 0;
  }
}

/** Lets so many through at a time. */
export class ConcurrencyGate extends Gate {
  declare use: ConcurrencyUse;
  readonly #counter: Counter;
  readonly opensAt = Number.POSITIVE_INFINITY;

  constructor(id: string, use: ConcurrencyUse, counter: Counter, now: number) {
    super(id, use, counter, now);
    this.#counter = counter;
  }

  get holders(): Iterable<string> {
    return this.#counter.running;
  }

  admits(): boolean {
    return this.#counter.running.size < this.use.limit;
  }

  waitMs(ahead: number, expectedMs: number): number {
    const { limit } = this.use;
    return roundsMs(ahead, limit, limit - this.#counter.running.size, expectedMs);
  }

  pass(id: string): void {
    this.#counter.running.add(id);
  }

  hold(id: string): void {
    this.#counter.running.add(id);
  }

  leave(id: string): void {
    this.#counter.running.delete(id);
  }
}
