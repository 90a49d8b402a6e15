/**
 * First in, first out, with removal from the middle: places that were given up stay until they come up, or are many.
 * Some go before all others, in the order in which they came.
 */
export class WaitingLine {
  #first: Line | undefined;
  readonly #rest = new Line();

  get size(): number {
    return this.first + this.#rest.size;
  }

  /** How many of them go before all others. */
  get first(): number {
    return this.#first === undefined ? 0 : this.#first.size;
  }

  /** Who is next; undefined where nobody waits. */
  get head(): string | undefined {
    return this.#first?.head ?? this.#rest.head;
  }

  /** With which number who is next came. */
  get headNumber(): number {
    return this.#first === undefined || this.#first.size === 0
      ? this.#rest.headNumber
      : this.#first.headNumber;
  }

  has(key: string): boolean {
    return this.#rest.has(key) || this.#first?.has(key) === true;
  }

  /** `number` is above those of all that came before. */
  add(key: string, first: boolean, number = 0): void {
    if (this.has(key)) return;
    if (!first) {
      this.#rest.add(key, number);
      return;
    }
    this.#first ??= new Line();
    this.#first.add(key, number);
  }

  delete(key: string): boolean {
    return this.#rest.delete(key) || this.#first?.delete(key) === true;
  }

  take(): string | undefined {
    return this.#first?.take() ?? this.#rest.take();
  }

  /** No more than so many are before a key; all where it does not wait. Takes no time, however long the line. */
  most(key: string): number {
    return this.#first?.has(key) === true ? this.#first.most(key) : this.first + this.#rest.most(key);
  }

  /** In their order. */
  *[Symbol.iterator](): Generator<string> {
    if (this.#first !== undefined) yield* this.#first;
    yield* this.#rest;
  }
}

/** Every operation is O(1) amortised, however long it is. */
class Line {
  /** Each waiting key's place in the order. */
  readonly #places = new Map<string, number>();
  #order: (string | undefined)[] = [];
  /** The number of each of `#order`. */
  #numbers: number[] = [];
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

  get headNumber(): number {
    return this.head === undefined ? Number.POSITIVE_INFINITY : (this.#numbers[this.#at] ?? 0);
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  add(key: string, number: number): void {
    this.#places.set(key, this.#base + this.#order.length);
    this.#order.push(key);
    this.#numbers.push(number);
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
    if (place === undefined) return this.size;
    // Looking for the head passes over those that are gone.
    return this.head === key ? 0 : Math.min(this.size - 1, place - this.#base - this.#at);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#places.keys();
  }

  #compact(): void {
    if (this.#order.length <= 2 * this.#places.size + 64) return;
    const base = this.#base + this.#order.length;
    const order: string[] = [];
    const numbers: number[] = [];
    for (const [key, place] of this.#places) {
      numbers.push(this.#numbers[place - this.#base] ?? 0);
      this.#places.set(key, base + order.length);
      order.push(key);
    }
    this.#base = base;
    this.#order = order;
    this.#numbers = numbers;
    this.#at = 0;
  }
}
