/** The frames of gRPC messages in a stream: a byte that says whether it is compressed, four of length, and the message. */
export const headBytes = 5;
/** DEFLATE makes at most that many bytes of one (https://zlib.net/zlib_tech.html). */
const mostInflated = 1032;

export class MessageFrames {
  readonly #mostBytes: number;
  readonly #mostInflatedBytes: number;
  /** Bytes of the head that are here. */
  #head = 0;
  #length = 0;
  #compressed = false;
  /** Bytes of the message that are missing. */
  #missing = 0;

  /** `mostInflatedBytes` is what a compressed message may become. */
  constructor(mostBytes: number, mostInflatedBytes: number) {
    this.#mostBytes = mostBytes;
    this.#mostInflatedBytes = mostInflatedBytes;
  }

  /** The memory that bytes may come to cost, those of heads included; or that a message is too large to go on. */
  add(data: Uint8Array): number | 'too large' {
    let weight = 0;
    for (let at = 0; at < data.byteLength; ) {
      if (this.#missing > 0) {
        const part = Math.min(this.#missing, data.byteLength - at);
        const before = this.#weight();
        this.#missing -= part;
        at += part;
        weight += this.#weight() - before;
        continue;
      }
      this.#takeHead(data[at] ?? 0);
      at += 1;
      weight += 1;
      if (this.#head < headBytes) continue;
      if (this.#length > this.#mostBytes) return 'too large';
      this.#head = 0;
      this.#missing = this.#length;
    }
    return weight;
  }

  /** What the part of the message that is here may become. */
  #weight(): number {
    const here = this.#length - this.#missing;
    return this.#compressed ? Math.min(here * mostInflated, this.#mostInflatedBytes) : here;
  }

  #takeHead(byte: number): void {
    if (this.#head === 0) {
      this.#compressed = byte === 1;
      this.#length = 0;
    } else {
      this.#length = this.#length * 256 + byte;
    }
    this.#head += 1;
  }
}
