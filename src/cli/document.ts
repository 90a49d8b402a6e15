/**
 * Readers of a YAML or JSON document, whose scalars all come as text (YAML's failsafe schema): the place says what a
 * scalar means, so that `VERSION: 1.10` stays what was written. Each throws a UsageError that names the field.
 */

import { didYouMean } from '../domain/did-you-mean.ts';
import { quote } from '../domain/errors.ts';
import { snakeCase } from '../domain/schema/form.ts';
import { listNames } from '../domain/wit/place.ts';
import { UsageError } from './usage-error.ts';

/** `field` is the path of the node in the document: `limits.memory`. */
export type Reader<T> = (field: string, node: unknown) => T;

/** A reader of a mapping that tells its keys, in lowerCamelCase. */
type SectionReader<Fields> = Reader<Section<Fields>> & { readonly fields: Fields };

export function refuse(field: string, node: unknown, allowed: string): UsageError {
  const is =
    typeof node === 'string'
      ? quote(node)
      : Array.isArray(node)
        ? 'a list'
        : node === null
          ? 'empty'
          : 'a mapping';
  return new UsageError(`${field}: is ${is}; allowed is ${allowed}`);
}

export const text: Reader<string> = (field, node) => {
  if (typeof node !== 'string') throw refuse(field, node, 'a text');
  return node;
};

export const truth: Reader<boolean> = (field, node) => {
  if (node === 'true' || node === 'false') return node === 'true';
  throw refuse(field, node, 'true or false');
};

/** A scalar that a flag takes in the same words. */
export function parsed<T>(parse: (field: string, text: string) => T): Reader<T> {
  return (field, node) => parse(field, text(field, node));
}

/** One of the words, in either case and with - or _ between its parts. */
export function word<Word extends string>(words: readonly Word[]): Reader<Word> {
  return (field, node) => {
    const plain = (each: string): string => each.toUpperCase().replaceAll('-', '_');
    const given = plain(text(field, node));
    const found = words.find((each) => plain(each) === given);
    if (found === undefined) throw refuse(field, node, `one of ${words.join(', ')}`);
    return found;
  };
}

export function list<T>(item: Reader<T>): Reader<T[]> {
  return (field, node) => {
    if (node === null) return [];
    if (!Array.isArray(node)) throw refuse(field, node, 'a list');
    return node.map((each, index) => item(`${field}[${index}]`, each));
  };
}

export function map<T>(value: Reader<T>): Reader<Record<string, T>> {
  return (field, node) => {
    const entries = Object.entries(mapping(field, node));
    return Object.fromEntries(entries.map(([name, each]) => [name, value(`${field}.${name}`, each)]));
  };
}

type Section<Fields> = {
  -readonly [Name in keyof Fields]?: Fields[Name] extends Reader<infer T> ? T : never;
};

/** A mapping with known keys, named here in lowerCamelCase; snake_case is as good. */
export function section<Fields extends Readonly<Record<string, Reader<unknown>>>>(
  fields: Fields,
): SectionReader<Fields> {
  const names = Object.keys(fields);
  const read: Reader<Section<Fields>> = (field, node) => {
    const found: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(mapping(field, node))) {
      const place = field === '' ? key : `${field}.${key}`;
      const name = names.find((each) => each === key || snakeCase(each) === key);
      const reader = name === undefined ? undefined : fields[name];
      if (name === undefined || reader === undefined) throw unknownKey(place, key, names);
      if (Object.hasOwn(found, name)) throw new UsageError(`${place}: is there twice, also as ${name}`);
      found[name] = reader(place, value);
    }
    // Each name's value came from that name's reader.
    return found as Section<Fields>;
  };
  return Object.assign(read, { fields });
}

function unknownKey(place: string, key: string, names: readonly string[]): UsageError {
  const snake = names.map(snakeCase);
  const guess = didYouMean(key, [...snake, ...names]);
  const hint = guess === undefined ? '' : `; did you mean ${guess}?`;
  return new UsageError(`${place}: is not known${hint || `; allowed are ${listNames(snake)}`}`);
}

/** An empty node is an empty mapping, as in `env:` with nothing under it. */
function mapping(field: string, node: unknown): Record<string, unknown> {
  if (node === null || node === '') return {};
  if (typeof node !== 'object' || Array.isArray(node))
    throw refuse(field || 'the document', node, 'a mapping');
  return { ...node };
}
