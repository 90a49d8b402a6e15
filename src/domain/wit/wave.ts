import { invalidArgument } from '../errors.ts';
import type { JsonValue } from '../execution.ts';
import { findFunction } from './lookup.ts';
import { fitsF32, type IntegerKind, inRange, integerRangeText, isIntegerKind } from './number.ts';
import { listNames } from './place.ts';
import { opaqueReason, printType } from './type-text.ts';
import type { WitCase, WitFunction, WitType } from './types.ts';
import { WaveReader } from './wave-reader.ts';
import { readChar, readString } from './wave-string.ts';

interface ParsedCall {
  /** The full export name. */
  readonly functionName: string;
  /** As the wire takes them; `decodeParameters` checks them again. */
  readonly parameters: Record<string, JsonValue>;
}

/**
 * Reads a call in WAVE, the text form of WIT values: `add(1, 2)`, `ns:pkg/iface@1.0.0#move({x: 1.5, y: nan})`.
 * Options at the end may be left out.
 *
 * Throws not_found for an unknown function, and otherwise invalid_argument: for `function_name` where a bare name is
 * ambiguous, for `call` with the column and what is allowed there.
 */
export function parseCall(text: string, functions: readonly WitFunction[]): ParsedCall {
  const reader = new WaveReader(text);
  reader.nextPosition();
  const name = reader.take(/[^\s()]+/y);
  if (name === undefined) throw reader.refuse('a call such as add(1, 2)');
  const fn = findFunction(functions, name.replace(/^%/, ''));
  const reason = opaqueReason(fn);
  if (reason !== '') throw invalidArgument('call', `${fn.name} cannot be called. ${reason}`);
  return { functionName: fn.name, parameters: readArguments(reader, fn) };
}

function readArguments(reader: WaveReader, fn: WitFunction): Record<string, JsonValue> {
  const parameters: Record<string, JsonValue> = {};
  reader.expect('(');
  reader.commaSeparated(')', (index) => {
    const field = fn.parameters[index];
    if (field === undefined)
      throw reader.refuse(`")", because ${fn.name} takes ${fn.parameters.length} values`);
    parameters[field.name] = readValue(reader, field.type);
  });
  const missing = fn.parameters.find(
    (field) => !Object.hasOwn(parameters, field.name) && field.type.kind !== 'option',
  );
  if (missing !== undefined) {
    const wanted = `${missing.name}: ${printType(missing.type)}`;
    throw reader.refuse(`${fn.parameters.length} values; ${wanted} is missing`, reader.position - 1);
  }
  if (!reader.atEnd()) throw reader.refuse('nothing after the call');
  return parameters;
}

function readValue(reader: WaveReader, type: WitType): JsonValue {
  switch (type.kind) {
    case 'bool':
      if (reader.keyword('true')) return true;
      if (reader.keyword('false')) return false;
      throw reader.refuse('true or false');
    case 'f32':
    case 'f64':
      return readFloat(reader, type.kind);
    case 'char':
      return readChar(reader);
    case 'string':
      return readString(reader);
    case 'list':
      return readList(reader, type);
    case 'tuple':
      return readTuple(reader, type.elements);
    case 'option':
      return readOption(reader, type.some);
    case 'result':
      return readResult(reader, type);
    case 'record':
      return readRecord(reader, type);
    case 'variant':
      return readVariant(reader, type.cases);
    case 'enum':
      return readName(reader, type.cases);
    case 'flags':
      return readFlags(reader, type.names);
    case 'opaque':
      throw reader.refuse(`nothing: ${type.what} has no text`);
    default:
      if (isIntegerKind(type.kind)) return readInteger(reader, type.kind);
      throw new Error(`a type of unknown kind ${type.kind}`);
  }
}

function readInteger(reader: WaveReader, kind: IntegerKind): JsonValue {
  const allowed = integerRangeText(kind);
  const start = reader.nextPosition();
  const text = reader.number() ?? '';
  // The length is bounded because reading a bigint takes quadratic time.
  if (!/^-?\d{1,20}$/.test(text) || !inRange(kind, BigInt(text))) throw reader.refuse(allowed, start);
  return kind === 'u64' || kind === 's64' ? `${BigInt(text)}` : Number(BigInt(text));
}

function readFloat(reader: WaveReader, kind: 'f32' | 'f64'): JsonValue {
  if (reader.keyword('nan')) return 'NaN';
  if (reader.keyword('inf')) return 'Infinity';
  if (reader.skip('-inf')) return '-Infinity';
  const start = reader.position;
  const text = reader.number();
  const value = Number(text);
  const fits = kind === 'f32' ? fitsF32(value) : Number.isFinite(value);
  if (text === undefined || !fits) throw reader.refuse(`a number of type ${kind}, nan, inf or -inf`, start);
  return value;
}

function readList(reader: WaveReader, type: Extract<WitType, { kind: 'list' }>): JsonValue[] {
  reader.expect('[', 'a list in []');
  const items: JsonValue[] = [];
  reader.commaSeparated(']', () => items.push(readValue(reader, type.element)));
  if (type.length !== undefined && items.length !== type.length) {
    throw reader.refuse(`a list of exactly ${type.length} values`, reader.position - 1);
  }
  return items;
}

function readTuple(reader: WaveReader, elements: readonly WitType[]): JsonValue[] {
  reader.expect('(', 'a tuple in ()');
  const items: JsonValue[] = [];
  reader.commaSeparated(')', (index) => {
    const element = elements[index];
    if (element === undefined) throw reader.refuse(`")", because the tuple has ${elements.length} values`);
    items.push(readValue(reader, element));
  });
  if (items.length < elements.length) {
    throw reader.refuse(`a tuple of ${elements.length} values`, reader.position - 1);
  }
  return items;
}

function readOption(reader: WaveReader, some: WitType): JsonValue {
  const wrap = (value: JsonValue): JsonValue => (some.kind === 'option' ? { some: value } : value);
  if (reader.keyword('none')) return null;
  if (reader.keyword('some')) return wrap(readPayload(reader, some));
  if (standsBare(some)) return readValue(reader, some);
  throw reader.refuse('some(…) or none');
}

function readResult(reader: WaveReader, type: Extract<WitType, { kind: 'result' }>): JsonValue {
  for (const tag of ['ok', 'err'] as const) {
    if (!reader.keyword(tag)) continue;
    const payload = type[tag];
    return payload === undefined ? { tag } : { tag, val: readPayload(reader, payload) };
  }
  if (type.ok !== undefined && standsBare(type.ok)) return { tag: 'ok', val: readValue(reader, type.ok) };
  throw reader.refuse('ok or err');
}

/** Whether a value may stand for its own `some` or `ok`: not where it could be read as another. */
function standsBare(type: WitType): boolean {
  return type.kind !== 'option' && type.kind !== 'result';
}

function readPayload(reader: WaveReader, type: WitType): JsonValue {
  reader.expect('(', `"(" and a value of type ${printType(type)}`);
  const value = readValue(reader, type);
  reader.expect(')');
  return value;
}

function readRecord(reader: WaveReader, type: Extract<WitType, { kind: 'record' }>): JsonValue {
  reader.expect('{', `the record ${type.name} in {}`);
  const record: Record<string, JsonValue> = {};
  const names = type.fields.map((field) => field.name);
  if (reader.skip(':')) {
    reader.expect('}');
  } else {
    reader.commaSeparated('}', () => {
      const name = readName(
        reader,
        names.filter((each) => !Object.hasOwn(record, each)),
      );
      const field = type.fields.find((each) => each.name === name);
      reader.expect(':');
      if (field !== undefined) record[name] = readValue(reader, field.type);
    });
  }
  const missing = type.fields.find(
    (field) => !Object.hasOwn(record, field.name) && field.type.kind !== 'option',
  );
  if (missing === undefined) return record;
  throw reader.refuse(`the field ${missing.name} of the record ${type.name}`, reader.position - 1);
}

function readVariant(reader: WaveReader, cases: readonly WitCase[]): JsonValue {
  const tag = readName(
    reader,
    cases.map((each) => each.name),
  );
  const payload = cases.find((each) => each.name === tag)?.type;
  return payload === undefined ? { tag } : { tag, val: readPayload(reader, payload) };
}

function readFlags(reader: WaveReader, names: readonly string[]): JsonValue[] {
  reader.expect('{', `flags in {}, out of ${listNames(names)}`);
  const set: string[] = [];
  reader.commaSeparated('}', () =>
    set.push(
      readName(
        reader,
        names.filter((name) => !set.includes(name)),
      ),
    ),
  );
  return set;
}

function readName(reader: WaveReader, names: readonly string[]): string {
  const start = reader.nextPosition();
  const label = reader.label();
  if (label !== undefined && names.includes(label.name)) return label.name;
  throw reader.refuse(`one of ${listNames(names)}`, start);
}
