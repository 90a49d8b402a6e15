/**
 * Bounds what the host copies out of a guest's memory at once. A list of a million strings that all point at the
 * same megabytes costs the guest nothing and the host terabytes, outside the JavaScript heap, where no limit of
 * a heap limit counts them.
 *
 * 1. Transpiled code copies byte lists with `ArrayBuffer.prototype.slice` and strings with `TextDecoder.decode`;
 *    `guardCopies` puts a count into both, in the host's own realm.
 * 2. Values that do not overlap cannot be more than the memory that they stand in, so one crossing from the guest
 *    to the host may copy `factor` times that much, and a call that needs more is a trap.
 * 3. The count begins anew with each crossing: a call of a host function, a return from the guest.
 */
export class LiftBudget {
  #most = Number.POSITIVE_INFINITY;
  #left = Number.POSITIVE_INFINITY;

  /** @param memoryCap bytes of the guest that runs next */
  begin(memoryCap: number): void {
    this.#most = memoryCap * factor + slack;
    this.#left = this.#most;
  }

  /** No guest runs: what is copied now is the host's own. */
  end(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** A guest runs: what is copied comes from it. */
  get counts(): boolean {
    return this.#left !== Number.POSITIVE_INFINITY;
  }

  renew(): void {
    this.#left = this.#most;
  }

  spend(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) {
      throw new Error(`a value of more than ${this.#most} bytes, which is more than its memory can hold`);
    }
  }
}

const factor = 2;
const slack = 1024 * 1024;

/**
 * Makes this realm's copies of memory spend the budget. Strings of a guest that are not well-formed trap, as the
 * component model has it (CanonicalABI.md, load_string); transpiled code would put U+FFFD in their place, and leave out
 * a U+FEFF at the beginning. Only for a process that has no other work.
 */
export function guardCopies(budget: LiftBudget): void {
  const { slice } = ArrayBuffer.prototype;
  ArrayBuffer.prototype.slice = function (this: ArrayBuffer, start = 0, end = this.byteLength) {
    budget.spend(Math.max(0, end - start));
    return slice.call(this, start, end);
  };
  const { decode } = TextDecoder.prototype;
  TextDecoder.prototype.decode = function (this: TextDecoder, input, options) {
    budget.spend(input?.byteLength ?? 0);
    const decoder = budget.counts ? (strict.get(this.encoding) ?? this) : this;
    return decode.call(decoder, input, options);
  };
}

/** The encodings of strings that components have. None of them keeps a state between strings. */
const strict = new Map(
  ['utf-8', 'utf-16le'].map((name) => [name, new TextDecoder(name, { fatal: true, ignoreBOM: true })]),
);
