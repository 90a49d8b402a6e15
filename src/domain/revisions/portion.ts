/**
 * A number from 0 up to 1, without 1, that a text always has: FNV-1a over its UTF-16 units, then the finalizer of
 * MurmurHash3, without which texts that differ at their end alone would lie side by side. The 32 bits are by far enough
 * for shares in percents.
 */
export function portion(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
