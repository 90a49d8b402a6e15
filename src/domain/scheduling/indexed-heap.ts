/** What can be in one heap at a time. */
export interface Placed {
  /** Where it stands in its heap, from 0; -1 where it is in none. For the heap alone. */
  place: number;
}

/**
 * The least of many whose order changes: a binary heap that knows where each of its items stands, so that one that has
 * become less or more is moved in logarithmic time.
 */
export class IndexedHeap<Item extends Placed> {
  readonly #before: (a: Item, b: Item) => boolean;
  readonly #items: Item[] = [];

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
    return item.place >= 0;
  }

  /** In no order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items.values();
  }

  add(item: Item): void {
    if (item.place >= 0) {
      this.moved(item);
      return;
    }
    this.#put(item, this.#items.length);
    this.#rise(this.#items.length - 1);
  }

  delete(item: Item): boolean {
    const { place } = item;
    if (place < 0) return false;
    item.place = -1;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#put(last, place);
      this.moved(last);
    }
    return true;
  }

  /** What it is ordered by has changed. */
  moved(item: Item): void {
    if (item.place < 0) return;
    this.#rise(item.place);
    this.#sink(item.place);
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
    item.place = place;
  }
}
