/** Messages in envelopes: a byte of flags, four of length, and the message, as Connect and gRPC-Web have them. */
import { invalidArgument, type RequestError } from '../../domain/errors.ts';
import { headBytes } from '../message-frames.ts';

const compressed = 0b0000_0001;

/** Bytes as they come, in memory of at most twice their size however small their parts are. */
export class Gathered {
  #memory = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(data: Uint8Array): void {
    const needed = this.#length + data.byteLength;
    if (needed > this.#memory.byteLength) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#length));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    this.#memory.set(data, this.#length);
    this.#length = needed;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }
}

/** The messages of a request's body. */
export class Envelopes {
  readonly #mostBytes: number;
  readonly #tooLarge: () => RequestError;
  #head = new Gathered();
  #message = new Gathered();

  /** A message of more than `mostBytes` is refused as soon as it says so. */
  constructor(mostBytes: number, tooLarge: () => RequestError) {
    this.#mostBytes = mostBytes;
    this.#tooLarge = tooLarge;
  }

  /** The messages that end with `data`. Throws resource_exhausted, or invalid_argument for one that is compressed. */
  *push(data: Uint8Array): Generator<Buffer> {
    let at = 0;
    const take = (into: Gathered, upTo: number): boolean => {
      const part = data.subarray(at, at + upTo - into.length);
      at += part.byteLength;
      into.add(part);
      return into.length === upTo;
    };
    while (at < data.byteLength) {
      if (this.#head.length < headBytes && !take(this.#head, headBytes)) return;
      const head = this.#head.bytes;
      const length = head.readUInt32BE(1);
      if (head[0] !== 0) throw wrongFlags(head[0] ?? 0);
      if (length > this.#mostBytes) throw this.#tooLarge();
      if (!take(this.#message, length)) return;
      const message = this.#message.bytes;
      this.#head = new Gathered();
      this.#message = new Gathered();
      yield message;
    }
  }

  /** Throws invalid_argument where a message has begun that is not whole. */
  end(): void {
    if (this.#head.length > 0) throw invalidArgument('request', 'ends within a message');
  }
}

function wrongFlags(flags: number): RequestError {
  return invalidArgument(
    'request',
    flags === compressed
      ? 'has a compressed message, and no encoding was named; allowed are messages that are not compressed'
      : `has a message with the flags ${flags}; allowed is 0`,
  );
}

export function envelope(flags: number, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + message.byteLength);
  bytes.writeUInt8(flags, 0);
  bytes.writeUInt32BE(message.byteLength, 1);
  bytes.set(message, headBytes);
  return bytes;
}

/** Base64 in parts of any size, each of which may end with padding. */
export class Base64Parts {
  #rest = '';

  /** The bytes that are whole. Throws invalid_argument for what is no base64. */
  push(data: Buffer): Buffer {
    const text = this.#rest + data.toString('latin1');
    const whole = text.length - (text.length % 4);
    this.#rest = text.slice(whole);
    const groups = text.slice(0, whole);
    if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(groups)) {
      throw invalidArgument('request', 'is no base64, as application/grpc-web-text has to be');
    }
    // Node stops at the first padding.
    return Buffer.concat(groups.split(/(?<==)(?!=)/).map((part) => Buffer.from(part, 'base64')));
  }

  /** Throws invalid_argument where something is left. */
  end(): void {
    if (this.#rest !== '') throw invalidArgument('request', 'ends within a group of base64');
  }
}
