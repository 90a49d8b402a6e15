/** Numbers without a box each, for what there may be a hundred thousand of. */
export class Growing {
  #values = new Float64Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const wider = new Float64Array(this.#length * 2);
      wider.set(this.#values);
      this.#values = wider;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** Beyond the end it is NaN. */
  at(index: number): number {
    return index < this.#length ? (this.#values[index] ?? Number.NaN) : Number.NaN;
  }

  /** How many values are at most `value`, where they ascend. */
  countUpTo(value: number): number {
    return this.#search((each) => each <= value);
  }

  /** How many values are less than `value`, where they ascend. */
  countBelow(value: number): number {
    return this.#search((each) => each < value);
  }

  #search(holds: (value: number) => boolean): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#values[middle] ?? Number.POSITIVE_INFINITY)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
