/** A request in JSON as a message. What is wrong with it is said of its field, in the words of the contract. */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { didYouMean } from '../../domain/did-you-mean.ts';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { tooManyValues } from '../chain.ts';
import { repeatedKey } from './json-keys.ts';
import {
  type Check,
  checkDuration,
  checkFieldMask,
  checkTimestamp,
  enumCheck,
  scalarCheck,
  shown,
  textAsBytes,
} from './json-values.ts';
import { hasMoreValues } from './shape.ts';

/** Throws invalid_argument, or resource_exhausted where there are more than `maxValues` values. Empty is no fields. */
export function messageFromJson<Desc extends DescMessage>(
  desc: Desc,
  bytes: Buffer,
  maxValues: number,
): MessageShape<Desc> {
  if (hasMoreValues(bytes, maxValues)) throw tooManyValues(maxValues);
  const json = parsed(desc, textOf(bytes));
  const checkedJson = checkMessage(desc, json, '');
  try {
    return fromJson(desc, checkedJson);
  } catch (error) {
    throw notThat(desc, error);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Buffer): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw invalidArgument('request', 'is not UTF-8, as JSON has to be; bytes are sent as base64');
  }
}

function parsed(desc: DescMessage, text: string): JsonValue {
  if (text === '') return {};
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw notThat(desc, error);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) {
    throw invalidArgument(shortened(repeated), 'is given twice; allowed is each name once in an object');
  }
  return json;
}

function notThat(desc: DescMessage, error: unknown): Error {
  return invalidArgument(
    'request',
    `is not a ${desc.typeName} in JSON: ${error instanceof Error ? error.message : ''}`,
  );
}

interface KnownField {
  readonly name: string;
  readonly jsonName: string;
  readonly check: Check;
}

const fieldsOf = new WeakMap<DescMessage, ReadonlyMap<string, KnownField>>();

/** The same JSON with short names written out, and texts as bytes. */
function checkMessage(desc: DescMessage, json: JsonValue, path: string): JsonValue {
  if (desc.typeName === 'google.protobuf.Duration') return checkDuration(json, path);
  if (desc.typeName === 'google.protobuf.Timestamp') return checkTimestamp(json, path);
  if (desc.typeName === 'google.protobuf.FieldMask') return checkFieldMask(json, path);
  // Any JSON goes for these.
  if (desc.typeName.startsWith('google.protobuf.')) return json;
  if (json === null || typeof json !== 'object' || Array.isArray(json)) {
    throw invalidArgument(path === '' ? 'request' : path, `is ${shown(json)}; allowed is an object`);
  }
  const known = knownFields(desc);
  const checked: JsonObject = {};
  for (const [key, value] of Object.entries(json)) {
    const field = known.get(key);
    if (field === undefined) throw unknownField(desc, path, key);
    if (Object.hasOwn(checked, field.jsonName)) {
      const names = [...known]
        .filter(([, { jsonName }]) => jsonName === field.jsonName)
        .map(([name]) => name);
      throw invalidArgument(
        joined(path, key),
        `is given twice; allowed is one of ${[...new Set(names)].join(', ')}`,
      );
    }
    checked[field.jsonName] = value === null ? null : field.check(value, joined(path, field.name));
  }
  checkAlone(desc, checked, path);
  return checked;
}

/** Of some fields a message has one at most. */
function checkAlone(desc: DescMessage, json: JsonObject, path: string): void {
  for (const { fields } of desc.oneofs) {
    const [one, other] = fields.filter(({ jsonName }) => (json[jsonName] ?? null) !== null);
    if (one === undefined || other === undefined) continue;
    const names = fields.map(({ jsonName }) => jsonName).join(', ');
    throw invalidArgument(
      joined(path, other.name),
      `is given beside ${one.jsonName}; allowed is one of ${names}`,
    );
  }
}

function unknownField(desc: DescMessage, path: string, key: string): Error {
  // Without the names of the contract, which are the same fields again.
  const names = [...knownFields(desc).keys()].filter((name) => !name.includes('_'));
  const guess = didYouMean(key, names);
  const meant =
    names.length === 0
      ? '; allowed is an empty object'
      : guess === undefined
        ? ''
        : `; did you mean ${guess}?`;
  return invalidArgument(
    joined(path, quote(key)),
    `is not known${meant || `; allowed are ${names.join(', ')}`}`,
  );
}

function knownFields(desc: DescMessage): ReadonlyMap<string, KnownField> {
  let known = fieldsOf.get(desc);
  if (known === undefined) {
    known = new Map(desc.fields.flatMap((field) => entriesOf(field)));
    fieldsOf.set(desc, known);
  }
  return known;
}

/** Under both of its names; input may also come as text. */
function entriesOf(field: DescField): [string, KnownField][] {
  const { name, jsonName } = field;
  const known = { name, jsonName, check: checkOf(field) };
  const entries: [string, KnownField][] = [
    [name, known],
    [jsonName, known],
  ];
  if (name === 'input' && field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES) {
    const asText = { name: 'input_text', jsonName, check: textAsBytes };
    entries.push(['inputText', asText], ['input_text', asText]);
  }
  return entries;
}

function checkOf(field: DescField): Check {
  switch (field.fieldKind) {
    case 'message':
      return (value, path) => checkMessage(field.message, value, path);
    case 'enum':
      return enumCheck(field.enum);
    case 'scalar':
      return scalarCheck(field.scalar);
    case 'list': {
      const each = elementCheck(field);
      return (value, path) => {
        if (!Array.isArray(value)) throw invalidArgument(path, `is ${shown(value)}; allowed is a list`);
        return value.map((element, index) => each(element, `${path}[${index}]`));
      };
    }
    case 'map': {
      const each = valueCheck(field);
      return (value, path) => {
        if (typeof value !== 'object' || Array.isArray(value) || value === null) {
          throw invalidArgument(path, `is ${shown(value)}; allowed is an object`);
        }
        return Object.fromEntries(
          Object.entries(value).map(([key, element]) => [key, each(element, `${path}.${shortened(key)}`)]),
        );
      };
    }
  }
}

function elementCheck(field: DescField & { readonly fieldKind: 'list' }): Check {
  if (field.listKind === 'message') return (value, path) => checkMessage(field.message, value, path);
  return field.listKind === 'enum' ? enumCheck(field.enum) : scalarCheck(field.scalar);
}

function valueCheck(field: DescField & { readonly fieldKind: 'map' }): Check {
  if (field.mapKind === 'message') return (value, path) => checkMessage(field.message, value, path);
  return field.mapKind === 'enum' ? enumCheck(field.enum) : scalarCheck(field.scalar);
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shortened(key: string): string {
  return key.length > 80 ? `${key.slice(0, 80).toWellFormed()}…` : key;
}
