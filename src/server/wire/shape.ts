/**
 * How many values a request has, found out before it is decoded: what a few bytes each cost to decode adds up to
 * seconds of the thread that everybody waits for.
 */
import type { DescField, DescMessage } from '@bufbuild/protobuf';

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBracket = 0x5b;
const openBrace = 0x7b;

/** Whether JSON text has more than `most` values, lists and objects included. What is no JSON may have any number. */
export function hasMoreValues(json: Buffer, most: number): boolean {
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === quote) {
      at = endOfString(json, at + 1);
    } else if (byte === comma || byte === openBracket || byte === openBrace) {
      values += 1;
      if (values > most) return true;
    }
  }
  return false;
}

/** The place of the quote that ends a string, or the end of all. */
function endOfString(json: Buffer, from: number): number {
  let end = json.indexOf(quote, from);
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf(quote, end + 1);
  return end === -1 ? json.length : end;
}

function isEscaped(json: Buffer, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === backslash) slashes += 1;
  return slashes % 2 === 1;
}

/** What is nested deeper is not counted: decoding refuses it. */
const deepest = 100;

/** What the fields of a message are that have others in them. */
type Nested = ReadonlyMap<number, DescMessage | 'packed' | MapEntry>;

interface MapEntry {
  readonly value: DescMessage | undefined;
}

const known = new WeakMap<DescMessage, Nested>();

/** Whether a message has more than `most` fields and elements, nested ones included. */
export function hasMoreFields(desc: DescMessage, bytes: Uint8Array, most: number): boolean {
  // Each takes a byte or more.
  if (bytes.byteLength <= most) return false;
  return new FieldCount(bytes, most).count(nestedOf(desc), 0, bytes.byteLength, 0) > most;
}

const noneNested: Nested = new Map();

function nestedOf(desc: DescMessage | undefined): Nested {
  if (desc === undefined) return noneNested;
  let nested = known.get(desc);
  if (nested === undefined) {
    nested = new Map(desc.fields.flatMap((field) => entryOf(field)));
    known.set(desc, nested);
  }
  return nested;
}

function entryOf(field: DescField): [number, DescMessage | 'packed' | MapEntry][] {
  const { number, fieldKind } = field;
  if (fieldKind === 'message') return [[number, field.message]];
  if (fieldKind === 'map')
    return [[number, { value: field.mapKind === 'message' ? field.message : undefined }]];
  if (fieldKind !== 'list') return [];
  if (field.listKind === 'message') return [[number, field.message]];
  return field.packed ? [[number, 'packed']] : [];
}

/** Goes through the wire format (https://protobuf.dev/programming-guides/encoding) as far as counting needs it. */
class FieldCount {
  readonly #bytes: Uint8Array;
  readonly #most: number;
  #at = 0;
  #fields = 0;

  constructor(bytes: Uint8Array, most: number) {
    this.#bytes = bytes;
    this.#most = most;
  }

  count(nested: Nested, from: number, to: number, depth: number): number {
    this.#at = from;
    while (this.#at < to && this.#fields <= this.#most) {
      const tag = this.#varint();
      this.#fields += 1;
      switch (tag & 7) {
        case 0:
          this.#varint();
          break;
        case 1:
          this.#at += 8;
          break;
        case 2:
          this.#delimited(nested.get(tag >>> 3), to, depth);
          break;
        case 5:
          this.#at += 4;
          break;
        default:
          // Groups and what is no wire type: decoding says so.
          return this.#fields;
      }
    }
    return this.#fields;
  }

  #delimited(inner: DescMessage | 'packed' | MapEntry | undefined, to: number, depth: number): void {
    const length = this.#varint();
    const end = Math.min(this.#at + length, to);
    if (inner === 'packed') this.#fields += length;
    else if (inner !== undefined && depth < deepest) {
      if ('value' in inner) this.count(mapValueOf(inner), this.#at, end, depth + 1);
      else this.count(nestedOf(inner), this.#at, end, depth + 1);
    }
    this.#at = end;
  }

  /** Beyond 32 bits what is counted is wrong anyway. */
  #varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  }
}

const mapValueNumber = 2;
const mapValues = new WeakMap<MapEntry, Nested>();

function mapValueOf(entry: MapEntry): Nested {
  let nested = mapValues.get(entry);
  if (nested === undefined) {
    nested = entry.value === undefined ? noneNested : new Map([[mapValueNumber, entry.value]]);
    mapValues.set(entry, nested);
  }
  return nested;
}
