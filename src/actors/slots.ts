/**
 * A fixed number of slots and a first-come queue before them. Retries go first: their execution was accepted
 * long ago. Every operation is O(1) amortised, however long the queue.
 */
export class Slots {
  readonly total: number;
  readonly #retries = new Queue();
  readonly #fresh = new Queue();
  readonly #holders = new Set<string>();

  constructor(total: number) {
    this.total = total;
  }

  get running(): number {
    return this.#holders.size;
  }

  get queued(): number {
    return this.#fresh.size + this.#retries.size;
  }

  request(key: string, retry: boolean): void {
    (retry ? this.#retries : this.#fresh).add(key);
  }

  /** Gives up the slot, or the place in the queue. */
  release(key: string): void {
    if (!this.#holders.delete(key) && !this.#fresh.delete(key)) this.#retries.delete(key);
  }

  /** The next key to run, which now holds a slot; undefined where there is no slot or nobody waits. */
  take(): string | undefined {
    if (this.#holders.size >= this.total) return undefined;
    const key = this.#retries.take() ?? this.#fresh.take();
    if (key !== undefined) this.#holders.add(key);
    return key;
  }
}

/** First in, first out, with removal from the middle: removed keys stay in the array until they come up. */
class Queue {
  readonly #waiting = new Set<string>();
  #order: string[] = [];
  #head = 0;

  get size(): number {
    return this.#waiting.size;
  }

  add(key: string): void {
    if (this.#waiting.has(key)) return;
    this.#waiting.add(key);
    this.#order.push(key);
  }

  delete(key: string): boolean {
    return this.#waiting.delete(key);
  }

  take(): string | undefined {
    while (this.#head < this.#order.length) {
      const key = this.#order[this.#head++] as string;
      if (this.#head > 1024 && this.#head * 2 > this.#order.length) {
        this.#order = this.#order.slice(this.#head);
        this.#head = 0;
      }
      if (this.#waiting.delete(key)) return key;
    }
    this.#order = [];
    this.#head = 0;
    return undefined;
  }
}
