/** Messages whose fields are a schema's: read with its bounds and words, and written. */
import {
  type DescField,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { type Duration, DurationSchema, durationFromMs, durationMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { fits } from '../../domain/schema/check.ts';
import {
  constantCase,
  type FieldForm,
  type Form,
  kebabCase,
  type ListForm,
  type MapForm,
  mayBeUnsaid,
  type NumberForm,
  type ObjectForm,
  type PatternWords,
  spokenName,
  type TextForm,
  type WordForm,
} from '../../domain/schema/form.ts';
import type { Said } from '../../domain/schema/said.ts';
import { bounded, delay, most, positiveDuration, sorted, text, within } from './fields.ts';

type Values = Readonly<Record<string, unknown>>;

type MessageInit<Desc extends DescMessage> = Exclude<MessageInitShape<Desc>, MessageShape<Desc>>;

/** A field of the schema and the field of the message that it is. */
interface Pair extends FieldForm {
  /** In the schema. */
  readonly name: string;
  readonly desc: DescField;
  /** Of an object, and of each of a list of objects. */
  readonly inner: FormMessage<DescMessage, object> | undefined;
}

export interface ShownField extends Omit<FieldForm, 'optional'> {
  /** In the schema. */
  readonly name: string;
  /** As in JSON, with words as people write them; of an object, its fields. */
  readonly value: unknown;
}

export class FormMessage<Desc extends DescMessage, T extends object> {
  readonly #pairs: readonly Pair[];

  /** `besides` are fields of both that are read and written by hand. Throws where the others are not the same. */
  constructor(form: ObjectForm, desc: Desc, besides: readonly string[] = []) {
    const names = new Map(desc.fields.map((each) => [each.oneof?.localName ?? each.localName, each]));
    this.#pairs = [...form.fields]
      .filter(([name]) => !besides.includes(name))
      .map(([name, field]) => pairOf(desc, names.get(spokenName(name, field.form)), name, field));
    const known = new Set([...this.#pairs.map((pair) => pair.desc.localName), ...besides]);
    const unknown = [...names.keys()].filter((name) => !known.has(name));
    if (unknown.length > 0)
      throw new Error(`the schema has no ${unknown.join(', ')}, which ${desc.typeName} has`);
  }

  /** What a message says; `path` is its own. Throws invalid_argument with the field's path and what is allowed. */
  read(message: object, path: string): Said<T> {
    const found: [string, unknown][] = [];
    for (const pair of this.#pairs) {
      const value = (message as Values)[pair.desc.localName];
      const place = `${path}.${pair.desc.name}`;
      if (pair.inner !== undefined && pair.form.kind === 'list') {
        if (isSaid(pair.desc, value)) found.push([pair.name, listOf(pair.inner, pair.form, value, place)]);
      } else if (pair.inner !== undefined) {
        if (value !== undefined || !pair.optional)
          found.push([pair.name, pair.inner.read(Object(value ?? {}), place)]);
      } else if (isSaid(pair.desc, value) || !mayBeUnsaid(pair)) {
        found.push([pair.name, valueFrom(pair.form, pair.desc, value, place)]);
      }
    }
    // Each name's value was checked by that name's form.
    return Object.fromEntries(found) as Said<T>;
  }

  /** What a message from elsewhere says, for people: nothing is checked, and a word that is not known is its number. */
  shown(message: object): ShownField[] {
    return this.#pairs.flatMap(({ name, form, about, desc, inner }): ShownField[] => {
      const value = (message as Values)[desc.localName];
      if (!isSaid(desc, value)) return [];
      return [
        {
          name,
          form,
          about,
          value:
            inner === undefined ? shownValue(form, desc, value) : eachOf(value, (item) => inner.shown(item)),
        },
      ];
    });
  }

  /** What is said, as a message takes it. */
  write(said: Said<T>): MessageInit<Desc> {
    const written: [string, unknown][] = [];
    for (const { name, desc, form, inner } of this.#pairs) {
      const value = (said as Values)[name];
      if (value === undefined) continue;
      written.push([
        desc.localName,
        inner === undefined ? valueTo(form, desc, value) : eachOf(value, (item) => inner.write(item)),
      ]);
    }
    // The constructor has held each form against its field.
    return Object.fromEntries(written) as MessageInit<Desc>;
  }
}

/** Of a list what comes of each, and else of the value itself. */
function eachOf(value: unknown, act: (item: object) => unknown): unknown {
  return Array.isArray(value) ? value.map((item) => act(Object(item))) : act(Object(value));
}

function listOf(
  inner: FormMessage<DescMessage, object>,
  { most: allowed }: ListForm,
  value: unknown,
  path: string,
): unknown {
  // What a field of the descriptor's kind holds; see `holds`.
  const items = value as readonly object[];
  most(path, items.length, allowed);
  return items.map((item, index) => inner.read(item, `${path}[${index}]`));
}

function pairOf(owner: DescMessage, desc: DescField | undefined, name: string, field: FieldForm): Pair {
  if (desc === undefined) throw new Error(`${owner.typeName} has no ${name}, which the schema has`);
  if (!holds(desc, field.form)) {
    throw new Error(
      `${owner.typeName}.${desc.name} cannot hold a ${field.form.kind}, which the schema has there`,
    );
  }
  const form = field.form.kind === 'list' ? field.form.item : field.form;
  const inner =
    form.kind === 'object' && desc.message !== undefined
      ? new FormMessage<DescMessage, object>(form, desc.message)
      : undefined;
  return { ...field, name, desc, inner };
}

/** Whether a field of a message is of the kind that values of a form need. */
function holds(desc: DescField, form: Form): boolean {
  switch (form.kind) {
    case 'duration':
      return desc.fieldKind === 'message' && desc.message.typeName === DurationSchema.typeName;
    case 'object':
      return desc.fieldKind === 'message';
    case 'list':
      return desc.fieldKind === 'list' && (form.item.kind === 'object') === (desc.listKind === 'message');
    case 'map':
      return desc.fieldKind === 'map' && desc.mapKind === 'scalar';
    case 'word':
      return sameWords(form, desc);
    case 'truth':
      return desc.scalar === ScalarType.BOOL;
    case 'text':
      return desc.scalar === ScalarType.STRING;
    case 'number':
      return desc.scalar === ScalarType.DOUBLE;
    case 'whole':
      return desc.scalar === ScalarType.UINT32 || isLong(desc);
    case 'other':
      return false;
  }
}

/** All but the zero, which says nothing. */
function sameWords({ words }: WordForm, desc: DescField): boolean {
  const named = desc.enum?.values.filter(({ number }) => number !== 0) ?? [];
  return named.length === words.length && words.every((word) => numberOf(desc, word) !== undefined);
}

function isLong({ scalar }: DescField): boolean {
  return scalar === ScalarType.UINT64;
}

function numberOf(desc: DescField, word: string): number | undefined {
  return desc.enum?.values.find(({ localName }) => localName === constantCase(word))?.number;
}

/** A field without presence says nothing where it has its zero. */
function isSaid({ fieldKind }: DescField, value: unknown): boolean {
  if (fieldKind === 'list') return ((value as readonly unknown[] | undefined)?.length ?? 0) > 0;
  if (fieldKind === 'map') return Object.keys(value ?? {}).length > 0;
  return value !== undefined && value !== '' && value !== false && !(fieldKind === 'enum' && value === 0);
}

function valueFrom(form: Form, desc: DescField, value: unknown, path: string): unknown {
  // What a field of the descriptor's kind holds; see `holds`.
  switch (form.kind) {
    case 'text':
      return textFrom(form, value as string, path);
    case 'word':
      return wordFrom(form, desc, value as number, path);
    case 'truth':
      return value;
    case 'number':
      return within(path, value as number, form.least, form.most);
    case 'whole':
      return isLong(desc)
        ? bounded(path, value as bigint, form.least, form.most)
        : within(path, value as number, form.least, form.most);
    case 'duration':
      return durationFrom(form, value as Duration, path);
    case 'list':
      return listFrom(form, desc, value as readonly unknown[], path);
    case 'map':
      return mapFrom(form, desc, value as Values, path);
    default:
      throw new Error(`no value is read from a ${form.kind}`);
  }
}

function textFrom(form: TextForm, value: string, path: string): string {
  if (!fits(form, value)) {
    const { what, allowed } = wordsOf(form);
    throw invalidArgument(path, `${quote(value)} is not ${what}; allowed is ${allowed}`);
  }
  return text(path, value, form.most);
}

function wordsOf({ words, pattern }: TextForm): PatternWords {
  return words ?? { what: 'of its form', allowed: pattern?.source ?? 'any text' };
}

function wordFrom({ words, what }: WordForm, desc: DescField, value: number, path: string): string {
  const found = words.find((word) => numberOf(desc, word) === value);
  if (found !== undefined) return found;
  throw invalidArgument(
    path,
    what === undefined
      ? `${value} is not known; allowed are ${words.map(constantCase).join(', ')}`
      : `${value} is not ${what}`,
  );
}

function durationFrom({ least }: NumberForm, value: Duration, path: string): number {
  const ms = (least === 0 ? delay(path, value) : positiveDuration(path, value)) ?? 0;
  if (ms < least) throw invalidArgument(path, `is ${ms} ms; allowed is ${least / 1000} s or more`);
  return ms;
}

function listFrom(
  { item, most: allowed, total }: ListForm,
  desc: DescField,
  values: readonly unknown[],
  path: string,
) {
  most(path, values.length, allowed);
  const items = values.map((value, index) => valueFrom(item, desc, value, `${path}[${index}]`));
  checkTotal(path, items, total);
  return items;
}

/** Checked, in the order of their keys. Throws invalid_argument with the entry's path. */
export function mapFrom<Value>(
  { name, value: form, most: allowed, total }: MapForm,
  desc: DescField,
  map: Readonly<Record<string, Value>>,
  path: string,
) {
  const entries = Object.entries(map);
  most(path, entries.length, allowed);
  for (const [key, value] of entries) {
    if (!fits(name, key)) {
      const words = wordsOf(name);
      throw invalidArgument(`${path}.${quote(key)}`, `is not ${words.what}; allowed is ${words.allowed}`);
    }
    text(path, key, name.most);
    valueFrom(form, desc, value, `${path}.${/^[\w.-]+$/.test(key) ? key : quote(key)}`);
  }
  checkTotal(path, entries.flat(), total);
  return sorted(map);
}

function checkTotal(path: string, texts: readonly unknown[], allowed: number | undefined): void {
  if (allowed === undefined) return;
  const total = texts.reduce<number>((sum, each) => sum + Buffer.byteLength(String(each)), 0);
  if (total > allowed) throw invalidArgument(path, `has ${total} bytes in all; allowed are ${allowed}`);
}

function shownValue(form: Form, desc: DescField, value: unknown): unknown {
  switch (form.kind) {
    case 'duration':
      return durationMs(value as Duration);
    case 'whole':
      return Number(value);
    case 'word': {
      const word = form.words.find((each) => numberOf(desc, each) === value);
      return word === undefined ? String(value) : kebabCase(word);
    }
    default:
      return value;
  }
}

function valueTo(form: Form, desc: DescField, value: unknown): unknown {
  switch (form.kind) {
    case 'duration':
      return durationFromMs(value as number);
    case 'whole':
      return isLong(desc) ? BigInt(value as number) : value;
    case 'word':
      return numberOf(desc, value as string);
    case 'list':
      return (value as readonly unknown[]).map((each) => valueTo(form.item, desc, each));
    default:
      return value;
  }
}
