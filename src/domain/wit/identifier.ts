/** A WIT identifier without its escape: words of letters and digits joined by hyphens. */
export const identifierPattern = /[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*/;

const keywords = new Set(
  (
    'as async bool borrow char constructor enum error-context export f32 f64 flags from func future import ' +
    'include interface list map option own package record resource result s16 s32 s64 s8 static stream string ' +
    'tuple type u16 u32 u64 u8 use variant with world'
  ).split(' '),
);

/** The identifier as WIT text takes it: `%` before a keyword. */
export function escapeIdentifier(name: string): string {
  return keywords.has(name) ? `%${name}` : name;
}

/** The property name that jco gives to a record field or a flag: `write-all` is `writeAll`. */
export function camelCase(name: string): string {
  return name
    .split('-')
    .map((word, index) => {
      const lower = word.toLowerCase();
      return index === 0 ? lower : lower.charAt(0).toUpperCase() + lower.slice(1);
    })
    .join('');
}

/** Words of types that Spear knows by name only: no value of theirs can be written as JSON. */
export const opaqueWords: ReadonlySet<string> = new Set([
  'own',
  'borrow',
  'stream',
  'future',
  'error-context',
  'map',
]);
