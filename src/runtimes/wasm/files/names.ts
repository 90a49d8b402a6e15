// Names as text, for components, whose strings are Unicode. Names of files are bytes and need not be.
//
// A byte that is no UTF-8 stands as the character U+F700 + byte (U+F780 to U+F7FF, of the private use area). Where
// a name has such a character of its own, each byte of that stands so too. Every name then has one text that leads
// back to it, none is left out, and no text makes a `/`, a `.` or a NUL.

const firstEscape = 0xf700;
const escapes = /[\uf780-\uf7ff]/;

export function textOf(name: Uint8Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength);
  const text = bytes.toString();
  if (isExact(bytes, text)) return text;
  let result = '';
  for (let at = 0; at < bytes.length; ) {
    const character = bytes.subarray(at, at + lengthOf(bytes[at] ?? 0));
    const decoded = character.toString();
    if (isExact(character, decoded)) {
      result += decoded;
      at += character.length;
    } else {
      result += String.fromCharCode(firstEscape + (bytes[at] ?? 0));
      at += 1;
    }
  }
  return result;
}

export function bytesOf(text: string): Uint8Array {
  if (!escapes.test(text)) return Buffer.from(text);
  return Buffer.concat(
    text
      .split(/([\uf780-\uf7ff])/)
      .map((part, index) =>
        index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - firstEscape),
      ),
  );
}

function isExact(bytes: Buffer, text: string): boolean {
  return !escapes.test(text) && Buffer.from(text).equals(bytes);
}

/** Bytes of a character of UTF-8, by its first. */
function lengthOf(first: number): number {
  if (first < 0xc0) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}
