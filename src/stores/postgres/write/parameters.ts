/** Values on their way into arrays of the engine, which are texts there (PostgreSQL, "Arrays"). */

/** Of numbers, truths and nothing: what needs no quotes. */
export function plainArray(values: readonly (number | boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : String(value))).join(',')}}`;
}

export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map(quoted).join(',')}}`;
}

function quoted(value: string | null): string {
  if (value === null) return 'NULL';
  return /^[\w.:-]+$/.test(value) && !/^null$/i.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** Of rows, each with its columns in the order of its type (PostgreSQL, "Composite Types"). */
export function rowArray(rows: readonly (readonly (string | number | null)[])[]): string {
  return `{${rows.map((row) => `"(${row.map(column).join(',')})"`).join(',')}}`;
}

/** In quotes of its row, within those of the array: the row's own marks are doubled, and the array's escaped. */
function column(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number' || /^[\w.:-]+$/.test(value)) return String(value);
  return `\\"${value.replace(/["\\]/g, '$&$&').replace(/["\\]/g, '\\$&')}\\"`;
}

const mark = '\u0001';

/**
 * A text of any kind as one that the engine takes, which has no NUL and nothing that is no UTF-8; almost all are so and
 * stay as they are.
 */
export function storable(text: string): string {
  const isPlain = text.isWellFormed() && !text.includes('\0') && !text.startsWith(mark);
  return isPlain ? text : mark + JSON.stringify(text);
}

/** What `storable` was given. */
export function restored(text: string): string {
  return text.startsWith(mark) ? (JSON.parse(text.slice(1)) as string) : text;
}

/** Texts and bytes end to end. Places count from 1, as `substr` has them. */
export class Blob {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  add(part: string | Uint8Array): { readonly at: number; readonly length: number } {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    const at = this.#length + 1;
    this.#parts.push(bytes);
    this.#length += bytes.byteLength;
    return { at, length: bytes.byteLength };
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}
