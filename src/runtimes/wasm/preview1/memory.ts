import { CallError } from './errno.ts';

const noBytes = new Uint8Array();
const noView = new DataView(noBytes.buffer);

/**
 * The linear memory of a guest, checked.
 *
 * 1. Pointers and lengths come as the signed numbers that WebAssembly passes and are taken as unsigned.
 * 2. What does not lie within the memory as it is now is EFAULT.
 * 3. `refresh` comes first in each call: between two calls the guest may have grown its memory.
 */
export class GuestMemory {
  #memory: WebAssembly.Memory | undefined;
  #attached = false;
  #bytes = noBytes;
  #view = noView;

  /** @param exported what the guest exports as `memory`; without one every pointer is EFAULT */
  attach(exported: unknown): void {
    this.#attached = true;
    if (exported instanceof WebAssembly.Memory) this.#memory = exported;
  }

  /** Bytes. */
  get size(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  refresh(): void {
    if (!this.#attached) {
      throw new Error('the module calls its host in its start section, before its memory can be reached');
    }
    if (this.#memory === undefined || this.#memory.buffer === this.#bytes.buffer) return;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }

  check(pointer: number, length: number): void {
    if ((pointer >>> 0) + (length >>> 0) > this.#bytes.length) throw new CallError('EFAULT');
  }

  /** For arrays, whose length in bytes may be more than 32 bits. */
  checkArray(pointer: number, count: number, size: number): void {
    if ((pointer >>> 0) + (count >>> 0) * size > this.#bytes.length) throw new CallError('EFAULT');
  }

  /** A view, not a copy. */
  bytes(pointer: number, length: number): Uint8Array {
    this.check(pointer, length);
    return this.#bytes.subarray(pointer >>> 0, (pointer >>> 0) + (length >>> 0));
  }

  put(pointer: number, bytes: Uint8Array): void {
    this.check(pointer, bytes.length);
    this.#bytes.set(bytes, pointer >>> 0);
  }

  fill(pointer: number, length: number, value: number): void {
    this.check(pointer, length);
    this.#bytes.fill(value, pointer >>> 0, (pointer >>> 0) + (length >>> 0));
  }

  getU8(pointer: number): number {
    this.check(pointer, 1);
    return this.#view.getUint8(pointer >>> 0);
  }

  getU16(pointer: number): number {
    this.check(pointer, 2);
    return this.#view.getUint16(pointer >>> 0, true);
  }

  getU32(pointer: number): number {
    this.check(pointer, 4);
    return this.#view.getUint32(pointer >>> 0, true);
  }

  getU64(pointer: number): bigint {
    this.check(pointer, 8);
    return this.#view.getBigUint64(pointer >>> 0, true);
  }

  setU8(pointer: number, value: number): void {
    this.check(pointer, 1);
    this.#view.setUint8(pointer >>> 0, value);
  }

  setU16(pointer: number, value: number): void {
    this.check(pointer, 2);
    this.#view.setUint16(pointer >>> 0, value, true);
  }

  setU32(pointer: number, value: number): void {
    this.check(pointer, 4);
    this.#view.setUint32(pointer >>> 0, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    this.check(pointer, 8);
    this.#view.setBigUint64(pointer >>> 0, value, true);
  }
}
