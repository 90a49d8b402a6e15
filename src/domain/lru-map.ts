const nothing = Symbol('nothing');

/** A map of a bounded size: where an entry is one too many, the one least recently used goes. */
export class LruMap<Key, Value> implements Iterable<[Key, Value]> {
  readonly #max: number;
  readonly #pinned: ReadonlySet<Key>;
  /** The order of a Map is that of insertion; what is used is inserted anew. */
  readonly #entries = new Map<Key, Value>();
  /** Was used last: nothing has to move where it is used again, which would make V8 rebuild a small map each time. */
  #newest: Key | typeof nothing = nothing;

  /** @param pinned keys that never go to make room, and count for none; it may change meanwhile */
  constructor(max: number, pinned: ReadonlySet<Key> = new Set()) {
    this.#max = max;
    this.#pinned = pinned;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts as a use. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined && !this.#entries.has(key)) return undefined;
    if (key !== this.#newest) this.#insert(key, value as Value);
    return value;
  }

  /** Counts as no use. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  has(key: Key): boolean {
    return this.#entries.has(key);
  }

  /** Counts as a use. */
  set(key: Key, value: Value): void {
    this.#insert(key, value);
    if (this.#entries.size > this.#max) this.#evict();
  }

  delete(key: Key): boolean {
    if (key === this.#newest) this.#newest = nothing;
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#newest = nothing;
    this.#entries.clear();
  }

  /** The least recently used first. */
  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.#entries[Symbol.iterator]();
  }

  #insert(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#newest = key;
  }

  #evict(): void {
    let excess = this.#entries.size - this.#max;
    for (const key of this.#pinned) if (this.#entries.has(key)) excess -= 1;
    for (const key of this.#entries.keys()) {
      if (excess <= 0) return;
      if (this.#pinned.has(key)) continue;
      this.delete(key);
      excess -= 1;
    }
  }
}
