import type { JsonValue } from '../execution.ts';
import { fitsF32, type IntegerKind, inRange, integerRangeText } from './number.ts';
import { type Place, refuse, wrong } from './place.ts';

/** A bigint for 64-bit types, from a decimal string or a number that JSON holds exactly; a number for the others. */
export function decodeInteger(kind: IntegerKind, value: JsonValue, place: Place): number | bigint {
  if (kind === 'u64' || kind === 's64') {
    const integer = wideInteger(value);
    if (integer !== undefined && inRange(kind, integer)) return integer;
    throw wrong(place, `${integerRangeText(kind)}, as a decimal string (or a number within 2^53)`, value);
  }
  // Adding 0 turns -0 into 0.
  if (Number.isSafeInteger(value) && typeof value === 'number' && inRange(kind, BigInt(value)))
    return value + 0;
  throw wrong(place, integerRangeText(kind), value);
}

function wideInteger(value: JsonValue): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  // The length is bounded because reading a bigint takes quadratic time.
  if (typeof value !== 'string' || value.length > 20) return undefined;
  return /^(?:0|-?[1-9]\d*)$/.test(value) ? BigInt(value) : undefined;
}

const notFinite: ReadonlyMap<JsonValue, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export function decodeFloat(kind: 'f32' | 'f64', value: JsonValue, place: Place): number {
  const special = notFinite.get(value);
  if (special !== undefined) return special;
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    throw wrong(place, 'a number, "NaN", "Infinity" or "-Infinity"', value);
  }
  if (kind === 'f32' && !fitsF32(value)) throw wrong(place, 'a number within ±3.4028235e38', value);
  return value;
}

export function decodeString(value: JsonValue, place: Place): string {
  if (typeof value !== 'string') throw wrong(place, 'a string', value);
  if (!value.isWellFormed()) throw refuse(place, 'must be Unicode text, without a lone surrogate');
  return value;
}

export function decodeChar(value: JsonValue, place: Place): string {
  if (typeof value === 'string' && value.isWellFormed() && value !== '') {
    const [first] = value;
    if (first === value) return value;
  }
  throw wrong(place, 'a string of one Unicode scalar value', value);
}
