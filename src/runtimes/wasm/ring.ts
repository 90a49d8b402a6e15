/**
 * The way back from a worker thread: one ring of bytes in shared memory, in which output and replies stand in
 * the order in which the guest made them.
 *
 * 1. One thread writes, one reads. What is written can be read at once, even while the writer runs a guest that
 *    never returns, and still after it was terminated.
 * 2. The writer blocks while the ring is full: at most `ringBytes` of output wait for whoever takes it.
 * 3. The writer rings the bell once; it rings again only after the reader has begun to look. A flood of tiny
 *    writes is therefore many records and few messages.
 */
export const ringBytes = 1024 * 1024;

/** The longest record, and the longest that `next` joins. */
export const maxRecordBytes = 64 * 1024;
const headerBytes = 8;
const head = 0;
const tail = 1;
const bell = 2;

export interface RingMemory {
  /** Head, tail and bell. */
  readonly control: Int32Array;
  readonly data: Uint8Array;
}

export interface RingRecord {
  readonly kind: number;
  readonly slot: number;
  /** A copy, the reader's own. */
  readonly data: Uint8Array;
}

export function createRing(): RingMemory {
  return {
    control: new Int32Array(new SharedArrayBuffer(12)),
    data: new Uint8Array(new SharedArrayBuffer(ringBytes)),
  };
}

function recordBytes(length: number): number {
  return headerBytes + ((length + 7) & ~7);
}

export class RingWriter {
  readonly #control: Int32Array;
  readonly #data: Uint8Array;
  readonly #words: Int32Array;
  readonly #ring: () => void;
  #tail: number;

  /** @param ring wakes the reader */
  constructor(memory: RingMemory, ring: () => void) {
    this.#control = memory.control;
    this.#data = memory.data;
    this.#words = new Int32Array(memory.data.buffer);
    this.#ring = ring;
    this.#tail = Atomics.load(memory.control, tail);
  }

  /** Writes all of `bytes`, as several records where it is large; blocks while the ring is full. */
  write(kind: number, slot: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += maxRecordBytes) {
      this.#writeRecord(kind, slot, bytes.subarray(from, from + maxRecordBytes));
    }
  }

  #writeRecord(kind: number, slot: number, bytes: Uint8Array): void {
    const size = recordBytes(bytes.length);
    this.#waitForRoom(size);
    const at = (this.#tail >>> 0) % ringBytes;
    this.#words[at >> 2] = bytes.length;
    this.#words[(at >> 2) + 1] = kind | (slot << 8);
    const from = (at + headerBytes) % ringBytes;
    const first = Math.min(bytes.length, ringBytes - from);
    this.#data.set(first === bytes.length ? bytes : bytes.subarray(0, first), from);
    if (first < bytes.length) this.#data.set(bytes.subarray(first), 0);
    this.#tail = (this.#tail + size) | 0;
    Atomics.store(this.#control, tail, this.#tail);
    if (Atomics.exchange(this.#control, bell, 1) === 0) this.#ring();
  }

  #waitForRoom(size: number): void {
    for (;;) {
      const seen = Atomics.load(this.#control, head);
      if (ringBytes - ((this.#tail - seen) >>> 0) >= size) return;
      Atomics.wait(this.#control, head, seen);
    }
  }
}

export class RingReader {
  readonly #control: Int32Array;
  readonly #data: Uint8Array;
  readonly #words: Int32Array;
  /** Up to where records were read; the room behind it is the writer's again only after `release`. */
  #read: number;

  constructor(memory: RingMemory) {
    this.#control = memory.control;
    this.#data = memory.data;
    this.#words = new Int32Array(memory.data.buffer);
    this.#read = Atomics.load(memory.control, head);
  }

  /** Call before reading to the end: what is written after that rings again. */
  hush(): void {
    Atomics.store(this.#control, bell, 0);
  }

  /** The next record, joined with those after it of the same kind and slot up to 64 KiB; undefined at the end. */
  next(): RingRecord | undefined {
    const end = Atomics.load(this.#control, tail);
    if (this.#read === end) return undefined;
    const tag = this.#tagAt(this.#read);
    let length = this.#lengthAt(this.#read);
    let last = (this.#read + recordBytes(length)) | 0;
    while (last !== end && this.#tagAt(last) === tag && length + this.#lengthAt(last) <= maxRecordBytes) {
      length += this.#lengthAt(last);
      last = (last + recordBytes(this.#lengthAt(last))) | 0;
    }
    const data = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      const part = this.#lengthAt(this.#read);
      this.#copy(this.#read + headerBytes, part, data, at);
      at += part;
      this.#read = (this.#read + recordBytes(part)) | 0;
    }
    return { kind: tag & 0xff, slot: tag >>> 8, data };
  }

  /** Gives the writer back the room of every record read so far. */
  release(): void {
    Atomics.store(this.#control, head, this.#read);
    Atomics.notify(this.#control, head);
  }

  #lengthAt(position: number): number {
    return this.#words[((position >>> 0) % ringBytes) >> 2] ?? 0;
  }

  #tagAt(position: number): number {
    return this.#words[(((position >>> 0) % ringBytes) >> 2) + 1] ?? 0;
  }

  #copy(position: number, length: number, into: Uint8Array, at: number): void {
    const from = (position >>> 0) % ringBytes;
    const first = Math.min(length, ringBytes - from);
    into.set(this.#data.subarray(from, from + first), at);
    if (first < length) into.set(this.#data.subarray(0, length - first), at + first);
  }
}
