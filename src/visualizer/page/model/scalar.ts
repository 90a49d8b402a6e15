/** How single values come off the wire. */

const nothing = new Uint8Array(0);

/** 64-bit numbers come as strings; none that the page shows is beyond what a double counts exactly. */
export function numberOf(text: string | number | undefined): number {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/** Milliseconds since 1970 of an RFC 3339 instant. */
export function instantOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Date.parse(text);
  return Number.isNaN(value) ? undefined : value;
}

/** A count that can be counted on: a whole number from 0, as text or not. */
export function isWhole(value: unknown): boolean {
  if (typeof value === 'string') return /^\d{1,16}$/.test(value) && Number.isSafeInteger(Number(value));
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Text that names an instant. */
export function isInstant(text: unknown): boolean {
  return typeof text === 'string' && instantOf(text) !== undefined;
}

/** The word of an enum: `ERROR_CODE_FUNCTION_EXIT` with the prefix `ERROR_CODE_` is `FUNCTION_EXIT`; '' where unset. */
export function enumWord(name: string, prefix: string): string {
  const word = name.startsWith(prefix) ? name.slice(prefix.length) : name;
  return word === 'UNSPECIFIED' ? '' : word;
}

/** Base64 to bytes. */
export function bytesOf(base64: string): Uint8Array {
  if (base64 === '') return nothing;
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** Bytes to base64, in pieces: the arguments of one call are limited. */
export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += 0x8000) {
    text += String.fromCharCode(...bytes.subarray(from, from + 0x8000));
  }
  return btoa(text);
}
