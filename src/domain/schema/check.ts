/**
 * Checks of what a document says: each takes a parsed JSON value and gives it back as what it is, or throws a Mismatch
 * that names its place and what is allowed there. Objects are built anew, so that nothing unknown comes along.
 * Each tells its form, so that the same is asked of a flag, a file and a message.
 */
import { quote } from '../errors.ts';
import type { JsonValue } from '../execution.ts';
import type {
  About,
  FieldForm,
  Form,
  LineForm,
  ListForm,
  MapForm,
  NumberForm,
  ObjectForm,
  TextForm,
  WordForm,
} from './form.ts';

export type Check<T> = ((value: unknown, path: string) => T) & { readonly form?: Form };

/** A check that tells its form. */
export type Formed<T, F extends Form = Form> = ((value: unknown, path: string) => T) & { readonly form: F };

/** A field that may be absent. */
export interface Optional<T> {
  readonly optional: Check<T>;
  readonly about: About;
}

/** A field that is there, of which there is more to say. */
export interface Field<T> {
  readonly check: Check<T>;
  readonly about: About;
}

/** A check for each field of T: one that is forgotten here does not compile. */
export type Fields<T> = {
  readonly [Key in keyof T]-?: object extends Pick<T, Key>
    ? Optional<Required<T>[Key]>
    : Check<T[Key]> | Field<T[Key]>;
};

/** The value at a place is not allowed there. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';

  constructor(path: string, description: string) {
    super(`${path} ${description}`);
  }
}

const deepestValue = 100;
/** Milliseconds since the epoch that a Date can be. */
const latestInstant = 8.64e15;

export function optional<T>(check: Check<T>, about: About = {}): Optional<T> {
  return { optional: check, about };
}

export function field<T>(check: Check<T>, about: About): Field<T> {
  return { check, about };
}

/** Gives a check the form that it has. */
export function formed<T, F extends Form>(form: F, check: (value: unknown, path: string) => T): Formed<T, F> {
  return Object.assign(check, { form });
}

/** `line` is how a flag says it in one word. */
export function object<T extends object>(fields: Fields<T>, line?: LineForm): Formed<T, ObjectForm> {
  const known = new Map<string, FieldForm & { readonly check: Check<unknown> }>();
  for (const [name, each] of Object.entries(fields) as [string, Check<unknown> | Fields<object>[never]][]) {
    known.set(name, fieldOf(each));
  }
  return formed({ kind: 'object', fields: known, ...(line !== undefined && { line }) }, (value, path) => {
    const given = entriesOf(value, path);
    for (const key of Object.keys(given)) {
      if (!known.has(key)) throw new Mismatch(`${path}.${shown(key)}`, 'is not known');
    }
    const found: [string, unknown][] = [];
    for (const [name, { check, optional: mayBeAbsent }] of known) {
      if (Object.hasOwn(given, name)) found.push([name, check(given[name], `${path}.${name}`)]);
      else if (!mayBeAbsent) throw new Mismatch(`${path}.${name}`, 'is missing');
    }
    // Each name's value came from that name's check.
    return Object.fromEntries(found) as T;
  });
}

function fieldOf(
  given: Check<unknown> | Field<unknown> | Optional<unknown>,
): FieldForm & { readonly check: Check<unknown> } {
  const isOptional = 'optional' in given;
  const check = typeof given === 'function' ? given : isOptional ? given.optional : given.check;
  const about = typeof given === 'function' ? {} : given.about;
  return { check, form: check.form ?? { kind: 'other' }, optional: isOptional, about };
}

/** A mapping of names to values, of at most `most` entries. */
export function map<T>(
  check: Check<T>,
  most: number,
  name: Formed<string, TextForm> = text(512),
): Formed<Readonly<Record<string, T>>, MapForm> {
  return formed(
    { kind: 'map', name: name.form, value: check.form ?? { kind: 'other' }, most },
    (value, path) => {
      const entries = Object.entries(entriesOf(value, path));
      if (entries.length > most)
        throw new Mismatch(path, `has ${entries.length} entries; allowed are ${most}`);
      return Object.fromEntries(
        entries.map(([key, each]) => [name(key, `a name of ${path}`), check(each, `${path}.${shown(key)}`)]),
      );
    },
  );
}

export function list<T>(check: Check<T>, most: number): Formed<readonly T[], ListForm> {
  return formed({ kind: 'list', item: check.form ?? { kind: 'other' }, most }, (value, path) => {
    if (!Array.isArray(value)) throw wrong(path, value, 'a list');
    if (value.length > most) throw new Mismatch(path, `has ${value.length} entries; allowed are ${most}`);
    return value.map((each, index) => check(each, `${path}[${index}]`));
  });
}

/** A text of at most `most` UTF-8 bytes, without NUL and lone surrogates. */
export function text(
  most: number,
  pattern?: RegExp,
  { words, mayBeEmpty = false }: Partial<Pick<TextForm, 'words' | 'mayBeEmpty'>> = {},
): Formed<string, TextForm> {
  const form: TextForm = {
    kind: 'text',
    most,
    mayBeEmpty,
    ...(pattern !== undefined && { pattern }),
    ...(words !== undefined && { words }),
  };
  return formed(form, (value, path) => {
    if (typeof value !== 'string') throw wrong(path, value, 'a text');
    if (Buffer.byteLength(value) > most) throw new Mismatch(path, `is too long; allowed are ${most} bytes`);
    if (value.includes('\0') || !value.isWellFormed()) throw new Mismatch(path, 'is not well-formed text');
    if (!fits(form, value)) {
      throw new Mismatch(path, `is ${quote(value)}; allowed is ${words?.allowed ?? pattern?.source}`);
    }
    return value;
  });
}

/** Whether a text is what its pattern wants. */
export function fits({ pattern, mayBeEmpty }: TextForm, value: string): boolean {
  return pattern === undefined || (mayBeEmpty && value === '') || pattern.test(value);
}

/** JSON text of at most `most` UTF-8 bytes, as it stands. */
export function jsonText(most: number): Check<string> {
  const check = text(most);
  return (value, path) => {
    const found = check(value, path);
    if (found === '') return found;
    try {
      JSON.parse(found);
    } catch {
      throw new Mismatch(path, 'is not JSON');
    }
    return found;
  };
}

export function oneOf<Word extends string>(...words: readonly Word[]): Formed<Word, WordForm> {
  return formed({ kind: 'word', words }, (value, path) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw wrong(path, value, words.join(', '));
    return found;
  });
}

export function number(
  least: number,
  most: number,
  unit?: NonNullable<NumberForm['unit']>,
): Formed<number, NumberForm> {
  return formed({ kind: 'number', least, most, ...(unit !== undefined && { unit }) }, (value, path) => {
    if (typeof value !== 'number' || !(value >= least && value <= most)) {
      throw wrong(path, value, `a number from ${least} to ${most}`);
    }
    return value;
  });
}

/** Milliseconds. */
export function duration(least: number, most: number): Formed<number, NumberForm> {
  return formed({ kind: 'duration', least, most }, number(least, most));
}

export function whole(
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
  unit?: NonNullable<NumberForm['unit']>,
): Formed<number, NumberForm> {
  return formed({ kind: 'whole', least, most, ...(unit !== undefined && { unit }) }, (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      throw wrong(path, value, `a whole number from ${least} to ${most}`);
    }
    return value as number;
  });
}

export const instant: Check<number> = number(0, latestInstant);

export const truth: Formed<boolean> = formed({ kind: 'truth' }, (value, path) => {
  if (typeof value !== 'boolean') throw wrong(path, value, 'true or false');
  return value;
});

export function nullable<T>(check: Check<T>): Check<T | null> {
  return (value, path) => (value === null ? null : check(value, path));
}

/** Any JSON value, nested at most 100 levels. */
export const json: Check<JsonValue> = (value, path) => {
  checkDepth(value, path, 0);
  return value as JsonValue;
};

/** Bytes as standard base64 with padding, at most `most` of them. */
export function bytes(most: number): Check<Uint8Array> {
  return (value, path) => {
    if (typeof value !== 'string') throw wrong(path, value, 'base64');
    const padding = value.endsWith('==') ? 2 : value.endsWith('=') ? 1 : 0;
    const found = Buffer.from(value, 'base64');
    // Buffer skips what is no base64, and is the shorter then.
    if (value.length % 4 !== 0 || found.byteLength !== (value.length / 4) * 3 - padding) {
      throw new Mismatch(path, 'is not standard base64 with padding');
    }
    if (found.byteLength > most) {
      throw new Mismatch(path, `has ${found.byteLength} bytes; allowed are ${most}`);
    }
    return new Uint8Array(found.buffer, found.byteOffset, found.byteLength);
  };
}

export function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

function checkDepth(value: unknown, path: string, depth: number): void {
  if (value === null || typeof value !== 'object') return;
  if (depth >= deepestValue) throw new Mismatch(path, `is nested deeper than ${deepestValue} levels`);
  for (const each of Object.values(value)) checkDepth(each, path, depth + 1);
}

function entriesOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw wrong(path, value, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function wrong(path: string, value: unknown, allowed: string): Mismatch {
  const is = typeof value === 'object' || value === undefined ? kindOf(value) : quote(String(value));
  return new Mismatch(path, `is ${is}; allowed is ${allowed}`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return Array.isArray(value) ? 'a list' : 'an object';
}

function shown(key: string): string {
  return key.length > 80 ? `${key.slice(0, 80).toWellFormed()}…` : key;
}
