import { invalidArgument, quote } from '../errors.ts';
import type { JsonValue } from '../execution.ts';
import { decodeList } from './decode-list.ts';
import { decodeChar, decodeFloat, decodeInteger, decodeString } from './decode-scalar.ts';
import { camelCase, identifierPattern } from './identifier.ts';
import { isIntegerKind } from './number.ts';
import { isTaggedOption } from './option.ts';
import { listNames, type Place, refuse, wrong } from './place.ts';
import { opaqueReason, printType } from './type-text.ts';
import type { WitCase, WitField, WitFunction, WitType } from './types.ts';

/**
 * The arguments that jco's generated function takes, in order, from JSON values by parameter name (the JSON of each
 * type is in docs/runtimes.md, "Values of typed functions"). A missing parameter or record field is an absent option, or an error.
 *
 * Those of the names in `later` get their values later, and are left out of what is returned.
 *
 * Throws invalid_argument naming the place (`parameters.points[2].x`) and what is allowed there; for
 * `function_name` where the function is not callable.
 */
export function decodeParameters(
  fn: WitFunction,
  parameters: Readonly<Record<string, JsonValue>>,
  later: readonly string[] = [],
): unknown[] {
  const reason = opaqueReason(fn);
  if (reason !== '') throw invalidArgument('function_name', `${fn.name} cannot be called. ${reason}`);
  const names = new Set(fn.parameters.map((field) => field.name));
  for (const key of [...Object.keys(parameters), ...later]) {
    if (names.has(key)) continue;
    const plain = key.length <= 80 && identifierPattern.exec(key)?.[0] === key;
    throw invalidArgument(
      plain ? `parameters.${key}` : 'parameters',
      `${fn.name} has no parameter ${quote(key)}; it takes ${listNames([...names])}`,
    );
  }
  const root: Place = { parent: undefined, key: 'parameters' };
  return fn.parameters
    .filter(({ name }) => !later.includes(name))
    .map((field) => decodeField(field, parameters, root, 'parameter'));
}

function decodeField(
  field: WitField,
  values: Readonly<Record<string, JsonValue>>,
  parent: Place,
  what: 'parameter' | 'field',
): unknown {
  const place: Place = { parent, key: field.name };
  const value = Object.hasOwn(values, field.name) ? values[field.name] : undefined;
  if (value !== undefined) return decode(field.type, value, place);
  if (field.type.kind === 'option') return decode(field.type, null, place);
  throw refuse(place, `this ${what} is missing; it is of type ${printType(field.type)}`);
}

function decode(type: WitType, value: JsonValue, place: Place): unknown {
  switch (type.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw wrong(place, 'true or false', value);
      return value;
    case 'f32':
    case 'f64':
      return decodeFloat(type.kind, value, place);
    case 'char':
      return decodeChar(value, place);
    case 'string':
      return decodeString(value, place);
    case 'list':
      return decodeList(type, value, place, decode);
    case 'tuple':
      return decodeTuple(type.elements, value, place);
    case 'option':
      return decodeOption(type.some, value, place);
    case 'result': {
      const cases = [
        { name: 'ok', type: type.ok },
        { name: 'err', type: type.err },
      ];
      return decodeCase(cases, value, place);
    }
    case 'variant':
      return decodeCase(type.cases, value, place);
    case 'record':
      return decodeRecord(type, value, place);
    case 'enum':
      if (typeof value === 'string' && type.cases.includes(value)) return value;
      throw wrong(place, `one of ${listNames(type.cases)}`, value);
    case 'flags':
      return decodeFlags(type.names, value, place);
    case 'opaque':
      throw refuse(place, `${type.what} has no JSON`);
    default:
      if (isIntegerKind(type.kind)) return decodeInteger(type.kind, value, place);
      throw new Error(`a type of unknown kind ${type.kind}`);
  }
}

function decodeTuple(elements: readonly WitType[], value: JsonValue, place: Place): unknown[] {
  if (!Array.isArray(value) || value.length !== elements.length) {
    throw wrong(place, `a list of ${elements.length} values`, value);
  }
  return elements.map((element, index) => {
    const item = value[index];
    return decode(element, item ?? null, { parent: place, key: index });
  });
}

function decodeOption(some: WitType, value: JsonValue, place: Place): unknown {
  const tagged = isTaggedOption(some);
  if (value === null) return tagged ? { tag: 'none' } : undefined;
  const inner = some.kind === 'option' ? decodeSome(some, value, place) : decode(some, value, place);
  return tagged ? { tag: 'some', val: inner } : inner;
}

function decodeSome(some: WitType, value: JsonValue, place: Place): unknown {
  const inner = isObject(value) && Object.keys(value).join() === 'some' ? value.some : undefined;
  if (inner === undefined)
    throw wrong(place, 'null or {"some": …}, because it is an option of an option', value);
  return decode(some, inner, { parent: place, key: 'some' });
}

function decodeCase(cases: readonly WitCase[], value: JsonValue, place: Place): unknown {
  if (!isObject(value)) throw wrong(place, '{"tag": …} or {"tag": …, "val": …}', value);
  const extra = Object.keys(value).find((key) => key !== 'tag' && key !== 'val');
  if (extra !== undefined) throw refuse(place, `has only "tag" and "val", not ${quote(extra)}`);
  const { tag = null, val = null } = value;
  const found = cases.find((each) => each.name === tag);
  if (found === undefined) {
    const tagPlace: Place = { parent: place, key: 'tag' };
    throw wrong(tagPlace, `one of ${listNames(cases.map((each) => each.name))}`, tag);
  }
  const valPlace: Place = { parent: place, key: 'val' };
  if (found.type === undefined) {
    if (val !== null) throw refuse(valPlace, `must be absent, because ${found.name} carries nothing`);
    return { tag: found.name };
  }
  if (!Object.hasOwn(value, 'val') && found.type.kind !== 'option') {
    throw refuse(valPlace, `is missing; ${found.name} carries a value of type ${printType(found.type)}`);
  }
  return { tag: found.name, val: decode(found.type, val, valPlace) };
}

function decodeRecord(
  type: Extract<WitType, { kind: 'record' }>,
  value: JsonValue,
  place: Place,
): Record<string, unknown> {
  if (!isObject(value)) throw wrong(place, `an object, the record ${type.name}`, value);
  const names = new Set(type.fields.map((field) => field.name));
  const unknown = Object.keys(value).find((key) => !names.has(key));
  if (unknown !== undefined) {
    throw refuse(
      place,
      `the record ${type.name} has no field ${quote(unknown)}; it has ${listNames([...names])}`,
    );
  }
  return Object.fromEntries(
    type.fields.map((field) => [camelCase(field.name), decodeField(field, value, place, 'field')]),
  );
}

function decodeFlags(names: readonly string[], value: JsonValue, place: Place): Record<string, boolean> {
  const allowed = `a list of names out of ${listNames(names)}`;
  if (!Array.isArray(value)) throw wrong(place, allowed, value);
  const set = new Set<JsonValue>();
  for (const [index, name] of value.entries()) {
    const item: Place = { parent: place, key: index };
    if (typeof name !== 'string' || !names.includes(name))
      throw wrong(item, `one of ${listNames(names)}`, name);
    if (set.has(name)) throw refuse(item, `${name} stands in the list already`);
    set.add(name);
  }
  return Object.fromEntries(names.map((name) => [camelCase(name), set.has(name)]));
}

function isObject(value: JsonValue): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
