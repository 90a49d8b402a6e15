/** Numbers that hang on a seed and on nothing else (mulberry32), so that a run can be asked for again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** At least 0, and below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Throws where there is nothing to choose from. */
  pick<Item>(from: readonly Item[]): Item {
    const item = from[this.whole(0, from.length - 1)];
    if (item === undefined) throw new Error('there is nothing to pick from');
    return item;
  }

  /** One of the items, each as often as its weight says. */
  weighted<Item>(from: readonly (readonly [weight: number, item: Item])[]): Item {
    let left = this.next() * from.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, item] of from) {
      left -= weight;
      if (left < 0) return item;
    }
    return this.pick(from.map(([, item]) => item));
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    return items
      .map((item) => ({ item, at: this.next() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  /** Numbers of its own: how many of them are taken changes nothing here. */
  fork(): Random {
    return new Random(this.whole(0, 2 ** 32 - 1));
  }
}
