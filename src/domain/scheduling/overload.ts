/**
 * Whether more work comes than the slots can take, by the least that anybody waited: a queue that is only a burst is
 * empty again within an interval, and one that is not is never shorter than what is too much. Source: CoDel, RFC 8289.
 */
export interface OverloadRule {
  /** Milliseconds in the queue that are too many. */
  readonly targetMs: number;
  /** Over so many milliseconds the least wait is taken. */
  readonly intervalMs: number;
}

export class Overload {
  readonly #rule: OverloadRule;
  #begun = Number.NEGATIVE_INFINITY;
  /** Of those that began in this interval. */
  #least = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(rule: OverloadRule) {
    this.#rule = rule;
  }

  /** One has its slot at `now` after so many milliseconds in the queue. `now` is of a clock that only goes on. */
  began(waitedMs: number, now: number): void {
    this.#look(now);
    this.#least = Math.min(this.#least, waitedMs);
    // One that hardly waited says that there is room.
    if (waitedMs <= this.#rule.targetMs) this.#isOver = false;
  }

  /** To be asked where all slots are taken and somebody waits: what none has begun in is too long a wait, too. */
  isOver(now: number): boolean {
    this.#look(now);
    return this.#isOver;
  }

  /** There is a free slot, or nobody waits. */
  rest(): void {
    this.#begun = Number.NEGATIVE_INFINITY;
    this.#least = Number.POSITIVE_INFINITY;
    this.#isOver = false;
  }

  #look(now: number): void {
    const { targetMs, intervalMs } = this.#rule;
    if (this.#begun === Number.NEGATIVE_INFINITY) this.#begun = now;
    if (now - this.#begun < intervalMs) return;
    this.#isOver = this.#least > targetMs;
    this.#begun = now;
    this.#least = Number.POSITIVE_INFINITY;
  }
}
