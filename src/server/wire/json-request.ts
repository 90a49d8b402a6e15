/** A request in JSON as a message. What is wrong with it is said of its field, in the words of the contract. */
import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from '@bufbuild/protobuf';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { tooManyValues } from '../chain.ts';
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
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw notThat(desc, error);
  }
}

function notThat(desc: DescMessage, error: unknown): Error {
  return invalidArgument(
    'request',
    `is not a ${desc.typeName} in JSON: ${error instanceof Error ? error.message : ''}`,
  );
}

type Check = (value: JsonValue, path: string) => JsonValue;

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
      throw invalidArgument(
        joined(path, key),
        `is given twice; allowed is one of ${field.jsonName} and its text`,
      );
    }
    checked[field.jsonName] = value === null ? null : field.check(value, joined(path, field.name));
  }
  return checked;
}

function unknownField(desc: DescMessage, path: string, key: string): Error {
  const names = [...new Set([...knownFields(desc).values()].map(({ jsonName }) => jsonName))];
  return invalidArgument(joined(path, quote(key)), `is not known; allowed are ${names.join(', ')}`);
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

/** By its name, also without what all names of the enum begin with, or by its number. */
function enumCheck({ values, sharedPrefix = '' }: DescEnum): Check {
  const prefix = sharedPrefix.toUpperCase();
  const names = new Map<JsonValue, string>();
  for (const { name, number } of values) {
    names.set(number, name);
    names.set(name, name);
    names.set(name.slice(prefix.length), name);
  }
  const short = values.filter(({ number }) => number !== 0).map(({ name }) => name.slice(prefix.length));
  return (value, path) => {
    const found = names.get(typeof value === 'string' ? value.toUpperCase() : value);
    if (found !== undefined) return found;
    throw invalidArgument(path, `${shown(value)} is not known; allowed are ${short.join(', ')}`);
  };
}

const wholeNumbers: Partial<Record<ScalarType, readonly [least: bigint, most: bigint]>> = {
  [ScalarType.INT32]: [-(2n ** 31n), 2n ** 31n - 1n],
  [ScalarType.UINT32]: [0n, 2n ** 32n - 1n],
  [ScalarType.INT64]: [-(2n ** 63n), 2n ** 63n - 1n],
  [ScalarType.UINT64]: [0n, 2n ** 64n - 1n],
};

function scalarCheck(scalar: ScalarType): Check {
  const range = wholeNumbers[scalar];
  if (range !== undefined) return wholeCheck(...range);
  switch (scalar) {
    case ScalarType.BYTES:
      return checkBytes;
    case ScalarType.STRING:
      return (value, path) => {
        if (typeof value === 'string') return value;
        throw invalidArgument(path, `is ${shown(value)}; allowed is a text`);
      };
    case ScalarType.BOOL:
      return (value, path) => {
        if (typeof value === 'boolean') return value;
        throw invalidArgument(path, `is ${shown(value)}; allowed are true and false`);
      };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return checkDecimal;
    default:
      return (value) => value;
  }
}

function wholeCheck(least: bigint, most: bigint): Check {
  return (value, path) => {
    const number =
      typeof value === 'number' && Number.isInteger(value)
        ? BigInt(value)
        : typeof value === 'string' && /^-?\d{1,20}$/.test(value)
          ? BigInt(value)
          : undefined;
    if (number !== undefined && number >= least && number <= most) return value;
    throw invalidArgument(path, `is ${shown(value)}; allowed is a whole number from ${least} to ${most}`);
  };
}

const checkDecimal: Check = (value, path) => {
  const isNumber =
    typeof value === 'number' ||
    (typeof value === 'string' &&
      (/^(NaN|-?Infinity)$/.test(value) || /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value)));
  if (isNumber) return value;
  throw invalidArgument(path, `is ${shown(value)}; allowed is a number`);
};

/** Standard base64 with padding: what a decoder would pass over is most likely a text that was meant as it is. */
const checkBytes: Check = (value, path) => {
  if (typeof value === 'string' && isBase64(value)) return value;
  const instead = path === 'input' ? '; a text goes into inputText' : '';
  throw invalidArgument(path, `is ${shown(value)}; allowed is standard base64 with padding${instead}`);
};

function isBase64(text: string): boolean {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return false;
  // Bits of the last digit that stand for nothing must not be set.
  const last = text.slice(-4);
  return Buffer.from(last, 'base64').toString('base64') === last;
}

const textAsBytes: Check = (value, path) => {
  if (typeof value !== 'string') throw invalidArgument(path, `is ${shown(value)}; allowed is a text`);
  if (!value.isWellFormed()) throw invalidArgument(path, 'is not well-formed Unicode');
  return Buffer.from(value).toString('base64');
};

const checkDuration: Check = (value, path) => {
  if (typeof value === 'string' && /^-?\d{1,12}(\.\d{1,9})?s$/.test(value)) return value;
  throw invalidArgument(path, `is ${shown(value)}; allowed are seconds, such as "1.5s"`);
};

const checkTimestamp: Check = (value, path) => {
  if (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+]\d\d:\d\d)$/.test(value)
  )
    return value;
  throw invalidArgument(path, `is ${shown(value)}; allowed is a time such as "2026-01-31T12:00:00Z"`);
};

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function shown(value: JsonValue): string {
  if (typeof value === 'string') return quote(value);
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

function shortened(key: string): string {
  return key.length > 80 ? `${key.slice(0, 80).toWellFormed()}…` : key;
}
