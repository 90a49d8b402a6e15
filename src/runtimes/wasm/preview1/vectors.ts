import type { GuestMemory } from './memory.ts';

const noBytes = new Uint8Array();
const vectorBytes = 8;
const firstScratchBytes = 16 * 1024;

/**
 * The buffers that one call reads into or writes from: `iovec` and `ciovec`.
 *
 * 1. A single buffer is used where it lies. Several go through a scratch buffer of the host, so that they are one
 *    call of the file system: one record of a file that is appended to, one wait for a FIFO.
 * 2. The scratch buffer is as long as the most that one call moves at the utmost; nothing is as long as the guest
 *    says.
 */
export class Vectors {
  readonly #memory: GuestMemory;
  #scratch = noBytes;
  #list = 0;
  #count = 0;
  /** Those that are not empty, and their bytes. */
  #filled = 0;
  #total = 0;
  /** Where `next` goes on. */
  #index = 0;
  #offset = 0;

  constructor(memory: GuestMemory) {
    this.#memory = memory;
  }

  /** @throws CallError EFAULT where the list, or a buffer in it, does not lie within the memory */
  set(list: number, count: number): void {
    this.#list = list >>> 0;
    this.#count = count >>> 0;
    this.#filled = 0;
    this.#total = 0;
    this.#index = 0;
    this.#offset = 0;
    this.#memory.checkArray(list, count, vectorBytes);
    for (let index = 0; index < this.#count; index += 1) {
      const length = this.#length(index);
      this.#memory.check(this.#pointer(index), length);
      if (length > 0) this.#filled += 1;
      this.#total += length;
    }
  }

  /** Where to read to; `scatter` then puts it where it belongs. */
  target(most: number): Uint8Array {
    const length = Math.min(this.#total, most);
    if (this.#filled > 1) return this.#scratchOf(length);
    this.#skipEmpty();
    return length === 0
      ? this.#scratch.subarray(0, 0)
      : this.#memory.bytes(this.#pointer(this.#index), length);
  }

  /** @param done bytes that were read to the target */
  scatter(done: number): void {
    if (this.#filled <= 1) return;
    let from = 0;
    for (let index = 0; from < done; index += 1) {
      const length = Math.min(this.#length(index), done - from);
      this.#memory.put(this.#pointer(index), this.#scratch.subarray(from, from + length));
      from += length;
    }
  }

  /** The bytes to write next, `most` at a time; `undefined` after the last. */
  next(most: number): Uint8Array | undefined {
    this.#skipEmpty();
    if (this.#index === this.#count) return undefined;
    if (this.#filled === 1) return this.#take(most);
    const piece = this.#scratchOf(Math.min(this.#total, most));
    let at = 0;
    while (at < piece.length && this.#index < this.#count) {
      const part = this.#take(piece.length - at);
      piece.set(part, at);
      at += part.length;
      this.#skipEmpty();
    }
    return piece.subarray(0, at);
  }

  #take(most: number): Uint8Array {
    const length = Math.min(this.#length(this.#index) - this.#offset, most);
    const part = this.#memory.bytes(this.#pointer(this.#index) + this.#offset, length);
    this.#offset += length;
    return part;
  }

  #skipEmpty(): void {
    while (this.#index < this.#count && this.#offset >= this.#length(this.#index)) {
      this.#index += 1;
      this.#offset = 0;
    }
  }

  #pointer(index: number): number {
    return this.#memory.getU32(this.#list + index * vectorBytes);
  }

  #length(index: number): number {
    return this.#memory.getU32(this.#list + index * vectorBytes + 4);
  }

  #scratchOf(length: number): Uint8Array {
    if (this.#scratch.length < length) {
      this.#scratch = new Uint8Array(Math.max(firstScratchBytes, length));
    }
    return this.#scratch.subarray(0, length);
  }
}
