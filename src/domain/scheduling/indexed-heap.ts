/**
 * The least of many whose order changes: a binary heap that knows where each of its items stands, so that one that has
 * become less or more is moved in logarithmic time.
 */
export class IndexedHeap<Item extends object> {
  readonly #before: (a: Item, b: Item) => boolean;
  readonly #items: Item[] = [];
  readonly #places = new Map<Item, number>();

  /** `before` is a strict order that has no two equal. */
  constructor(before: (a: Item, b: Item) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  get least(): Item | undefined {
    return this.#items[0];
  }

  has(item: Item): boolean {
    return this.#places.has(item);
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    if (this.#places.has(item)) {
      this.moved(item);
      return;
    }
    this.#put(item, this.#items.length);
    this.#rise(this.#items.length - 1);
  }

  delete(item: Item): boolean {
    const place = this.#places.get(item);
    if (place === undefined) return false;
    this.#places.delete(item);
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#put(last, place);
      this.moved(last);
    }
    return true;
  }

  /** What it is ordered by has changed. */
  moved(item: Item): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#rise(place);
    this.#sink(this.#places.get(item) ?? place);
  }

  #rise(from: number): void {
    const item = this.#items[from];
    if (item === undefined) return;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const other = this.#items[above];
      if (other === undefined || !this.#before(item, other)) break;
      this.#put(other, place);
      place = above;
    }
    if (place !== from) this.#put(item, place);
  }

  #sink(from: number): void {
    const item = this.#items[from];
    if (item === undefined) return;
    let place = from;
    for (;;) {
      const left = this.#items[2 * place + 1];
      const right = this.#items[2 * place + 2];
      if (left === undefined) break;
      const isRight = right !== undefined && this.#before(right, left);
      const least = isRight ? right : left;
      if (!this.#before(least, item)) break;
      this.#put(least, place);
      place = 2 * place + (isRight ? 2 : 1);
    }
    if (place !== from) this.#put(item, place);
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    this.#places.set(item, place);
  }
}
