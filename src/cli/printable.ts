/** A text of somebody else's on one line, without anything that a terminal would obey. */
export function printable(text: string, most = 200): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
    .slice(0, most);
}

/** A text of several lines, each of them printable; its own indentation stays. */
export function printableLines(text: string): string {
  return text.replace(/[^\P{Cc}\t\n]|[\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

/** JSON text without what a terminal would obey: JSON itself leaves some of it as it is. */
export function printableJson(json: string): string {
  return json.replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (found) =>
    [...found.split('')].map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  );
}
