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

  holds(key: string): boolean {
    return this.#holders.has(key);
  }

  waits(key: string): boolean {
    return this.#fresh.has(key) || this.#retries.has(key);
  }

  /** Those of the queued that go before all others. */
  get retries(): number {
    return this.#retries.size;
  }

  request(key: string, retry: boolean): void {
    (retry ? this.#retries : this.#fresh).add(key);
  }

  /** Gives it a slot, beyond those that there are where all are taken: what runs already is not made to wait. */
  hold(key: string): void {
    this.#holders.add(key);
  }

  /** Gives up the slot, or the place in the queue. */
  release(key: string): void {
    if (!this.#holders.delete(key) && !this.#fresh.delete(key)) this.#retries.delete(key);
  }

  /** The place of a key that waits, from 1; 0 for any other. Takes as long as the queue is. */
  place(key: string): number {
    return this.#retries.place(key) || this.#fresh.place(key, this.#retries.size);
  }

  /**
   * Who gets a slot before this key: the first of them, at most so many, and how many there are, of which some may have
   * given up meanwhile where there are more than that. Before a key that does not wait go all that do; undefined where
   * it has its slot.
   */
  ahead(key: string, most: number): { readonly keys: readonly string[]; readonly count: number } | undefined {
    if (this.#holders.has(key)) return undefined;
    const retry = this.#retries.has(key);
    const keys = this.#retries.before(key, most);
    if (!retry) keys.push(...this.#fresh.before(key, most - keys.length));
    if (keys.length < most) return { keys, count: keys.length };
    const count = retry ? this.#retries.most(key) : this.#retries.size + this.#fresh.most(key);
    return { keys, count: Math.max(count, keys.length) };
  }

  /** Those that hold a slot, in the order in which they got it, at most so many. */
  holders(most: number): string[] {
    return firstOf(this.#holders, most);
  }

  /** The next key to run, which now holds a slot; undefined where there is no slot or nobody waits. */
  take(): string | undefined {
    if (this.#holders.size >= this.total) return undefined;
    const key = this.#retries.take() ?? this.#fresh.take();
    if (key !== undefined) this.#holders.add(key);
    return key;
  }
}

/** First in, first out, with removal from the middle: tickets that were given up stay until they come up, or are many. */
class Queue {
  /** Each waiting key's place in the order. */
  readonly #waiting = new Map<string, number>();
  #order: (string | undefined)[] = [];
  /** The place of `#order[0]`. */
  #base = 0;
  #head = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** From `before` + 1, or 0. */
  place(key: string, before = 0): number {
    if (!this.#waiting.has(key)) return 0;
    let place = before;
    for (const each of this.#waiting.keys()) {
      place += 1;
      if (each === key) break;
    }
    return place;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** The first of those before a key, at most so many; of all where it does not wait. */
  before(key: string, most: number): string[] {
    const keys = firstOf(this.#waiting.keys(), most);
    const at = keys.indexOf(key);
    return at < 0 ? keys : keys.slice(0, at);
  }

  /** No more than so many are before a key; all where it does not wait. Takes no time, however long the queue. */
  most(key: string): number {
    const place = this.#waiting.get(key);
    return place === undefined ? this.size : Math.min(this.size - 1, place - this.#base - this.#head);
  }

  add(key: string): void {
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, this.#base + this.#order.length);
    this.#order.push(key);
  }

  delete(key: string): boolean {
    const place = this.#waiting.get(key);
    if (place === undefined) return false;
    this.#waiting.delete(key);
    this.#order[place - this.#base] = undefined;
    if (this.#order.length > 2 * this.#waiting.size + 1024) this.#compact();
    return true;
  }

  take(): string | undefined {
    while (this.#head < this.#order.length) {
      const key = this.#order[this.#head++];
      if (key === undefined) continue;
      this.#waiting.delete(key);
      if (this.#order.length > 2 * this.#waiting.size + 1024) this.#compact();
      return key;
    }
    this.#compact();
    return undefined;
  }

  #compact(): void {
    this.#base += this.#order.length;
    const keys = [...this.#waiting.keys()];
    this.#order = keys;
    this.#head = 0;
    keys.forEach((key, index) => void this.#waiting.set(key, this.#base + index));
  }
}

function firstOf(keys: Iterable<string>, most: number): string[] {
  const first: string[] = [];
  if (most <= 0) return first;
  for (const key of keys) {
    first.push(key);
    if (first.length >= most) break;
  }
  return first;
}
