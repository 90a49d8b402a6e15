import { damaged } from './refusal.ts';

const lineFeed = 10;
/** Pieces of one line that are kept apart. */
const mostLoose = 1024;

/** Cuts bytes into lines as they come; keeps no more than one line. */
export class Lines {
  readonly #mostBytes: number;
  readonly #tooLong: (line: number) => Error;
  #parts: Uint8Array[] = [];
  /** The last of the parts, which have not been joined yet. */
  #loose = 0;
  #bytes = 0;
  #count = 0;

  /** `mostBytes` is of one line; `tooLong` says what is wrong with a longer one, by its number from 1. */
  constructor(
    mostBytes: number,
    tooLong = (line: number): Error =>
      damaged(line, `is longer than ${mostBytes} bytes; is this a snapshot?`),
  ) {
    this.#mostBytes = mostBytes;
    this.#tooLong = tooLong;
  }

  /** Lines that have ended so far. */
  get count(): number {
    return this.#count;
  }

  /** Takes over `data`: the lines that end in it, each with its line feed. Throws where one is too long. */
  *push(data: Uint8Array): Generator<Uint8Array> {
    let from = 0;
    for (;;) {
      const end = data.indexOf(lineFeed, from);
      const part = data.subarray(from, end === -1 ? data.byteLength : end + 1);
      if (this.#bytes + part.byteLength > this.#mostBytes) {
        throw this.#tooLong(this.#count + 1);
      }
      if (end === -1) {
        this.#bytes += part.byteLength;
        if (part.byteLength > 0) this.#keep(part);
        return;
      }
      this.#count += 1;
      const line =
        this.#parts.length === 0 ? part : joined([...this.#parts, part], this.#bytes + part.byteLength);
      this.#parts = [];
      this.#loose = 0;
      this.#bytes = 0;
      yield line;
      from = end + 1;
    }
  }

  /** Pieces of a few bytes each would cost many times what they are. */
  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#loose += 1;
    if (this.#loose < mostLoose) return;
    const loose = this.#parts.splice(-this.#loose);
    this.#parts.push(
      joined(
        loose,
        loose.reduce((sum, each) => sum + each.byteLength, 0),
      ),
    );
    this.#loose = 0;
  }

  /** Throws where the bytes end within a line. */
  end(): void {
    if (this.#bytes > 0) {
      throw damaged(
        this.#count + 1,
        'ends without a line feed: the document was cut off, or is not as it was written',
      );
    }
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
