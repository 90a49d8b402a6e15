/** A JSON value as the rows of a tree: what is closed has no rows, and long lists come a page at a time. Pure. */
import type { Json } from '../../wire.ts';

export interface JsonRow {
  /** Where it is in the value; the keys on the way, as a JSON array. */
  readonly path: string;
  readonly depth: number;
  /** The key or place in what holds it; empty for the whole. */
  readonly key: string;
  readonly kind: 'object' | 'list' | 'text' | 'number' | 'word' | 'more';
  /** The value, or what there is in it. */
  readonly text: string;
  /** Undefined for what cannot be opened. */
  readonly open: boolean | undefined;
}

export interface Opened {
  /** Paths that the reader opened or closed; all others are open down to `depth`. */
  readonly choices: ReadonlyMap<string, boolean>;
  readonly depth: number;
  /** How many pages of a long list are shown, by path. */
  readonly pages: ReadonlyMap<string, number>;
}

export const pageSize = 100;
const longText = 400;

export function jsonRows(value: Json, opened: Opened): readonly JsonRow[] {
  const rows: JsonRow[] = [];
  add(rows, value, [], '', opened);
  if (rows[0]?.open === undefined) return rows;
  // The whole is always open, and needs no row to say so.
  return rows.slice(1).map((row) => ({ ...row, depth: row.depth - 1 }));
}

function add(rows: JsonRow[], value: Json, keys: readonly string[], key: string, opened: Opened): void {
  const path = JSON.stringify(keys);
  const depth = keys.length;
  const entries = entriesOf(value);
  if (entries === undefined) {
    const long = typeof value === 'string' && value.length > longText;
    const open = long ? (opened.choices.get(path) ?? false) : undefined;
    rows.push({ path, depth, key, kind: kindOf(value), text: textOf(value, open !== false), open });
    return;
  }
  const empty = entries.length === 0;
  const open = empty ? undefined : depth === 0 || (opened.choices.get(path) ?? depth < opened.depth);
  rows.push({
    path,
    depth,
    key,
    kind: Array.isArray(value) ? 'list' : 'object',
    text: summary(value, entries),
    open,
  });
  if (!open) return;
  const shown = (opened.pages.get(path) ?? 1) * pageSize;
  for (const [name, child] of entries.slice(0, shown)) add(rows, child, [...keys, name], name, opened);
  if (entries.length > shown) {
    const left = entries.length - shown;
    rows.push({ path, depth: depth + 1, key: '', kind: 'more', text: `${left} more`, open: undefined });
  }
}

function entriesOf(value: Json): readonly (readonly [string, Json])[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value))
    return (value as readonly Json[]).map((each, place) => [String(place), each] as const);
  return Object.entries(value);
}

function kindOf(value: Json): JsonRow['kind'] {
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'number' : 'word';
}

function textOf(value: Json, whole: boolean): string {
  if (typeof value !== 'string' || whole || value.length <= longText) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, longText)).slice(0, -1)}…`;
}

function summary(value: Json, entries: readonly (readonly [string, Json])[]): string {
  if (Array.isArray(value)) return entries.length === 0 ? '[]' : `[${entries.length}]`;
  if (entries.length === 0) return '{}';
  const names = entries.slice(0, 4).map(([name]) => name);
  return `{${names.join(', ')}${entries.length > 4 ? ', …' : ''}}`;
}
