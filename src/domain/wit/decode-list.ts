import type { JsonValue } from '../execution.ts';
import { type Place, wrong } from './place.ts';
import type { WitType } from './types.ts';

/** jco takes and gives these for lists of numbers, but not for lists of a fixed length. */
const typedArrays: Readonly<Record<string, (items: ReadonlyArray<unknown>) => ArrayBufferView>> = {
  u8: (items) => Uint8Array.from(items, Number),
  s8: (items) => Int8Array.from(items, Number),
  u16: (items) => Uint16Array.from(items, Number),
  s16: (items) => Int16Array.from(items, Number),
  u32: (items) => Uint32Array.from(items, Number),
  s32: (items) => Int32Array.from(items, Number),
  u64: (items) => BigUint64Array.from(items, asBigInt),
  s64: (items) => BigInt64Array.from(items, asBigInt),
  f32: (items) => Float32Array.from(items, Number),
  f64: (items) => Float64Array.from(items, Number),
};

function asBigInt(item: unknown): bigint {
  if (typeof item !== 'bigint') throw new Error('a 64-bit integer was not decoded to a bigint');
  return item;
}

/** A typed array or an array, from an array or, for bytes, base64. */
export function decodeList(
  type: Extract<WitType, { kind: 'list' }>,
  value: JsonValue,
  place: Place,
  decode: (type: WitType, value: JsonValue, place: Place) => unknown,
): unknown {
  const { element, length } = type;
  const count = length === undefined ? '' : ` of exactly ${length}`;
  const isBytes = element.kind === 'u8';
  if (isBytes && typeof value === 'string') {
    const bytes = decodeBase64(value);
    if (bytes !== undefined && fits(bytes.length, length)) return length === undefined ? bytes : [...bytes];
  } else if (Array.isArray(value) && fits(value.length, length)) {
    const items = value.map((item, index) => decode(element, item, { parent: place, key: index }));
    const pack = length === undefined ? typedArrays[element.kind] : undefined;
    return pack === undefined ? items : pack(items);
  }
  throw wrong(
    place,
    isBytes ? `bytes${count}, as standard base64 with padding or a list` : `a list${count}`,
    value,
  );
}

function fits(count: number, length: number | undefined): boolean {
  return length === undefined || count === length;
}

function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Buffer skips what is not base64; only the canonical text comes back the same.
  if (bytes.toString('base64') !== text) return undefined;
  // A copy, because a small Buffer is a view of a shared pool that would go to a worker whole.
  return new Uint8Array(bytes);
}
