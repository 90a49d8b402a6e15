/** Bytes that are not well-formed WebAssembly. The message says what and where, for whoever sent them. */
export class MalformedWasm extends Error {
  override readonly name = 'MalformedWasm';
}

/** Something in an artifact that the gate does not let through. The message reads well after "it uses". */
export class RefusedFeature extends Error {
  override readonly name = 'RefusedFeature';
}

export type WasmLayer = 'core' | 'component';

export interface Section {
  readonly id: number;
  /** Where the section's id byte is. */
  readonly start: number;
  /** Where its content begins and ends. */
  readonly from: number;
  readonly to: number;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A cursor over a part of a WebAssembly binary. Every read past the end is a `MalformedWasm`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.position = from;
    this.end = to;
  }

  get done(): boolean {
    return this.position >= this.end;
  }

  byte(): number {
    const value = this.position < this.end ? this.bytes[this.position] : undefined;
    if (value === undefined) throw new MalformedWasm(`truncated at byte ${this.position}`);
    this.position += 1;
    return value;
  }

  /** Unsigned LEB128, up to 32 bits; wider values (64-bit limits) are clamped by the caller's feature check. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    throw new MalformedWasm(`a number of more than 64 bits at byte ${this.position}`);
  }

  skipNumber(): void {
    while (this.byte() >= 0x80);
  }

  skip(length: number): void {
    if (this.position + length > this.end) throw new MalformedWasm(`truncated at byte ${this.end}`);
    this.position += length;
  }

  name(): string {
    const length = this.u32();
    const from = this.position;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(from, from + length));
    } catch (cause) {
      throw new MalformedWasm(`a name that is not UTF-8 at byte ${from}`, { cause });
    }
  }
}

/** The layer that the header names. */
export function layerOf(bytes: Uint8Array, from = 0): WasmLayer {
  const header = [...bytes.subarray(from, from + 8)];
  if (header.slice(0, 4).join() !== '0,97,115,109') {
    throw new MalformedWasm('not WebAssembly: it does not begin with the bytes 00 61 73 6d');
  }
  if (header.length < 8) throw new MalformedWasm('truncated in its header');
  const version = header.slice(4).join();
  if (version === '1,0,0,0') return 'core';
  if (version === '13,0,1,0') return 'component';
  throw new MalformedWasm(`WebAssembly of an unknown version (${version})`);
}

/** The sections of the module or component between `from` (its header) and `to`. */
export function* sectionsOf(bytes: Uint8Array, from = 0, to = bytes.length): Generator<Section> {
  const reader = new ByteReader(bytes, from + 8, to);
  while (!reader.done) {
    const start = reader.position;
    const id = reader.byte();
    const length = reader.u32();
    const content = reader.position;
    if (content + length > to) throw new MalformedWasm(`truncated in the section at byte ${start}`);
    yield { id, start, from: content, to: content + length };
    reader.position = content + length;
  }
}

/** Unsigned LEB128. */
export function encodeU32(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    out.push(rest > 0 ? low + 128 : low);
  } while (rest > 0);
  return out;
}

export function encodeSection(id: number, content: readonly number[]): Uint8Array {
  return Uint8Array.from([id, ...encodeU32(content.length), ...content]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
