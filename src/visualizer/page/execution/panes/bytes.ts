/** Bytes as a reader can take them. Pure. */
import type { Json } from '../../wire.ts';

/** Text where they are UTF-8 without NUL; nothing where they are not. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** The JSON that a text is, where it is an object, a list, or said to be JSON. */
export function jsonOf(text: string, contentType: string): { readonly value: Json } | undefined {
  const said = /[/+]json\b/.test(contentType);
  if (!said && !/^\s*[[{]/.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return undefined;
  }
}

const perLine = 16;

/** Offsets, hex and signs, as `xxd` has them. */
export function hexOf(bytes: Uint8Array, most: number): string {
  const lines: string[] = [];
  const end = Math.min(bytes.byteLength, most);
  for (let from = 0; from < end; from += perLine) {
    const part = bytes.subarray(from, Math.min(end, from + perLine));
    const hex = [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const signs = [...part]
      .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.'))
      .join('');
    lines.push(`${from.toString(16).padStart(8, '0')}  ${hex.padEnd(perLine * 3)} ${signs}`);
  }
  return lines.join('\n');
}
