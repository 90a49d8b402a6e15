/**
 * First in, first out, with removal from the middle: places that were given up stay until they come up, or are many.
 * Some go before all others, in the order in which they came.
 */
export class WaitingLine {
  readonly #first = new Line();
  readonly #rest = new Line();

  get size(): number {
    return this.#first.size + this.#rest.size;
  }

  /** How many of them go before all others. */
  get first(): number {
    return this.#first.size;
  }

  /** Who is next; undefined where nobody waits. */
  get head(): string | undefined {
    return this.#first.head ?? this.#rest.head;
  }

  has(key: string): boolean {
    return this.#first.has(key) || this.#rest.has(key);
  }

  add(key: string, first: boolean): void {
    if (!this.has(key)) (first ? this.#first : this.#rest).add(key);
  }

  delete(key: string): boolean {
    return this.#first.delete(key) || this.#rest.delete(key);
  }

  take(): string | undefined {
    return this.#first.take() ?? this.#rest.take();
  }

  /** No more than so many are before a key; all where it does not wait. Takes no time, however long the line. */
  most(key: string): number {
    return this.#first.has(key) ? this.#first.most(key) : this.#first.size + this.#rest.most(key);
  }

  /** In their order. */
  *[Symbol.iterator](): Generator<string> {
    yield* this.#first;
    yield* this.#rest;
  }
}

/** Every operation is O(1) amortised, however long it is. */
class Line {
  /** Each waiting key's place in the order. */
  readonly #places = new Map<string, number>();
  #order: (string | undefined)[] = [];
  /** The place of `#order[0]`. */
  #base = 0;
  #at = 0;

  get size(): number {
    return this.#places.size;
  }

  get head(): string | undefined {
    while (this.#at < this.#order.length && this.#order[this.#at] === undefined) this.#at += 1;
    return this.#order[this.#at];
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  add(key: string): void {
    this.#places.set(key, this.#base + this.#order.length);
    this.#order.push(key);
  }

  delete(key: string): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    this.#places.delete(key);
    this.#order[place - this.#base] = undefined;
    this.#compact();
    return true;
  }

  take(): string | undefined {
    const key = this.head;
    if (key !== undefined) this.delete(key);
    return key;
  }

  most(key: string): number {
    const place = this.#places.get(key);
    return place === undefined ? this.size : Math.min(this.size - 1, place - this.#base - this.#at);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#places.keys();
  }

  #compact(): void {
    if (this.#order.length <= 2 * this.#places.size + 64) return;
    this.#base += this.#order.length;
    this.#order = [...this.#places.keys()];
    this.#at = 0;
    for (const [index, key] of this.#order.entries())
      if (key !== undefined) this.#places.set(key, this.#base + index);
  }
}
