import { maxChunkBytes, type OutputStream } from '../../domain/event.ts';

/** Writes of one stream on their way to become one chunk. */
export class OpenChunk {
  readonly stream: OutputStream;
  readonly #parts: Uint8Array[] = [];
  bytes = 0;

  constructor(stream: OutputStream) {
    this.stream = stream;
  }

  get full(): boolean {
    return this.bytes === maxChunkBytes;
  }

  /** Takes as much of `data` as fits and returns how much that was. */
  add(data: Uint8Array): number {
    const part = data.subarray(0, maxChunkBytes - this.bytes);
    this.#parts.push(part);
    this.bytes += part.byteLength;
    return part.byteLength;
  }

  /** All that was added; a single write is handed on, not copied. */
  join(): Uint8Array {
    const [only] = this.#parts;
    return only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts, this.bytes);
  }
}
