/** A text of somebody else's on one line, without anything that a terminal would obey. */
export function printable(text: string, most = 200): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, most);
}
