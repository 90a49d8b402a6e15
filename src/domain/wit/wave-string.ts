import type { WaveReader } from './wave-reader.ts';

const plain = /[^\\"\n]+/y;
const plainOfBlock = /(?:[^\\"]|"(?!""))+/y;
const plainOfChar = /[^\\'\n]/uy;
const escapeSource = String.raw`\\(?:[\\'"ntr]|u\{[0-9A-Fa-f]{1,6}\})`;
const oneEscape = new RegExp(escapeSource, 'y');
const allEscapes = new RegExp(escapeSource, 'g');

const escapes: Readonly<Record<string, string>> = {
  '\\\\': '\\',
  "\\'": "'",
  '\\"': '"',
  '\\n': '\n',
  '\\t': '\t',
  '\\r': '\r',
};

/** `"text"`, or lines between `"""`. */
export function readString(reader: WaveReader): string {
  if (reader.at('"""')) return readBlock(reader);
  reader.expect('"', 'a string in double quotes');
  let text = '';
  for (;;) {
    text += reader.take(plain) ?? '';
    const special = readEscape(reader);
    if (special !== undefined) text += special;
    else if (reader.take(/"/y) !== undefined) return text;
    else
      throw reader.refuse('the closing " or an escape (\\n \\t \\r \\" \\\' \\\\ \\u{…})', reader.position);
  }
}

export function readChar(reader: WaveReader): string {
  reader.expect("'", 'a character in single quotes');
  const char = readEscape(reader) ?? reader.take(plainOfChar);
  if (char === undefined) throw reader.refuse('one character', reader.position);
  if (reader.take(/'/y) === undefined) throw reader.refuse("the closing '", reader.position);
  return char;
}

function readEscape(reader: WaveReader): string | undefined {
  const start = reader.position;
  const text = reader.take(oneEscape);
  if (text === undefined) return undefined;
  const value = escaped(text);
  if (value === undefined) throw reader.refuse('a Unicode scalar value', start);
  return value;
}

function escaped(text: string): string | undefined {
  const known = escapes[text];
  if (known !== undefined) return known;
  const scalar = Number.parseInt(text.slice(3, -1), 16);
  if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar <= 0xdfff)) return undefined;
  return String.fromCodePoint(scalar);
}

/** The spaces before the closing quotes are taken off every line; the first and the last line break do not count. */
function readBlock(reader: WaveReader): string {
  reader.expect('"""');
  if (reader.take(/\r?\n/y) === undefined) throw reader.refuse('a line break after """', reader.position);
  const start = reader.position;
  const end = endOfBlock(reader);
  const lines = reader.text.slice(start, end).replaceAll('\r\n', '\n').split('\n');
  const indent = lines.pop() ?? '';
  if (!/^ *$/.test(indent)) throw reader.refuse('a line break and only spaces before the closing """', end);
  const stripped = lines.map((line) => {
    if (line.startsWith(indent)) return line.slice(indent.length);
    if (line.trim() === '') return '';
    throw reader.refuse(`at least ${indent.length} spaces before every line of the string`, start);
  });
  return stripped.join('\n').replace(allEscapes, (text) => escaped(text) ?? text);
}

function endOfBlock(reader: WaveReader): number {
  for (;;) {
    reader.take(plainOfBlock);
    const end = reader.position;
    if (reader.take(/"""/y) !== undefined) return end;
    if (readEscape(reader) === undefined) throw reader.refuse('the closing """ or an escape', end);
  }
}
