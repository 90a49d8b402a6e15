import { IndexedHeap, type Placed } from './indexed-heap.ts';

interface Kept<Item> extends Placed {
  readonly item: Item;
  readonly size: number;
  readonly serial: number;
}

/** Keeps the largest of many, at most so many of them: of equals those that came first. */
export class Largest<Item> {
  readonly #most: number;
  readonly #kept = new IndexedHeap<Kept<Item>>(
    (a, b) => a.size < b.size || (a.size === b.size && a.serial > b.serial),
  );
  #serial = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** `item` is made only where it is kept. */
  offer(size: number, item: () => Item): void {
    if (this.#kept.size >= this.#most) {
      const least = this.#kept.least;
      if (least === undefined || least.size >= size) return;
      this.#kept.delete(least);
    }
    this.#kept.add({ item: item(), size, serial: this.#serial++, place: -1 });
  }

  /** The largest first. */
  sorted(): Item[] {
    return [...this.#kept].sort((a, b) => b.size - a.size || a.serial - b.serial).map(({ item }) => item);
  }
}
