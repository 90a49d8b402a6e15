import { camelCase } from './identifier.ts';
import { isIntegerKind, shortestF32 } from './number.ts';
import { isTaggedOption } from './option.ts';
import type { WitFunction, WitType } from './types.ts';

/**
 * The JSON text (docs/runtimes.md, "Values of typed functions") of what jco's generated function returned. For a
 * function whose result is `result<T, E>` that is T, because jco throws E: see `encodeError`. `null` where there is no
 * value.
 * Throws an Error where the value is not of the type, which is a bug of ours or of jco's.
 */
export function encodeResult(fn: WitFunction, value: unknown): string {
  const type = fn.result?.kind === 'result' ? fn.result.ok : fn.result;
  return type === undefined ? 'null' : encode(type, value);
}

/** The JSON text of the payload of the ComponentError that jco threw for the error side of a top-level `result`. */
export function encodeError(fn: WitFunction, payload: unknown): string {
  if (fn.result?.kind !== 'result') throw new Error(`${fn.name} does not return a result`);
  return fn.result.err === undefined ? 'null' : encode(fn.result.err, payload);
}

// Text is written directly: JSON.stringify would turn -0 into 0.
function encode(type: WitType, value: unknown): string {
  switch (type.kind) {
    case 'bool':
      if (typeof value !== 'boolean') throw mismatch(type, value);
      return `${value}`;
    case 'f32':
    case 'f64':
      if (typeof value !== 'number') throw mismatch(type, value);
      return encodeFloat(type.kind, value);
    case 'char':
    case 'string':
    case 'enum':
      if (typeof value !== 'string') throw mismatch(type, value);
      return JSON.stringify(value);
    case 'list':
      return encodeList(type, value);
    case 'tuple': {
      if (!Array.isArray(value)) throw mismatch(type, value);
      return `[${type.elements.map((element, index) => encode(element, value[index])).join(',')}]`;
    }
    case 'option':
      return encodeOption(type, value);
    case 'result': {
      const { tag, val } = properties(type, value);
      if (tag !== 'ok' && tag !== 'err') throw mismatch(type, value);
      return encodeCase(tag, type[tag], val);
    }
    case 'variant': {
      const { tag, val } = properties(type, value);
      const found = type.cases.find((each) => each.name === tag);
      if (found === undefined) throw mismatch(type, value);
      return encodeCase(found.name, found.type, val);
    }
    case 'record': {
      const fields = properties(type, value);
      const members = type.fields.map((field) => {
        return `${JSON.stringify(field.name)}:${encode(field.type, fields[camelCase(field.name)])}`;
      });
      return `{${members.join(',')}}`;
    }
    case 'flags': {
      const flags = properties(type, value);
      return JSON.stringify(type.names.filter((name) => flags[camelCase(name)] === true));
    }
    case 'opaque':
      throw mismatch(type, value);
    default:
      return encodeInteger(type, value);
  }
}

function encodeInteger(type: WitType, value: unknown): string {
  if (!isIntegerKind(type.kind)) throw mismatch(type, value);
  const wide = type.kind === 'u64' || type.kind === 's64';
  if (typeof value !== (wide ? 'bigint' : 'number')) throw mismatch(type, value);
  return wide ? `"${value}"` : `${value}`;
}

function encodeFloat(kind: 'f32' | 'f64', value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return '-0';
  return `${kind === 'f32' ? shortestF32(value) : value}`;
}

function encodeList(type: Extract<WitType, { kind: 'list' }>, value: unknown): string {
  const { element } = type;
  if (!Array.isArray(value) && !isTypedArray(value)) throw mismatch(type, value);
  if (element.kind === 'u8') {
    const bytes = value instanceof Uint8Array ? value : Uint8Array.from(value, Number);
    return `"${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}"`;
  }
  return `[${Array.from<unknown, string>(value, (item) => encode(element, item)).join(',')}]`;
}

function isTypedArray(value: unknown): value is ArrayLike<number> | ArrayLike<bigint> {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function encodeOption(type: Extract<WitType, { kind: 'option' }>, value: unknown): string {
  const { some } = type;
  let inner = value;
  if (isTaggedOption(some)) {
    const { tag, val } = properties(type, value);
    if (tag !== 'none' && tag !== 'some') throw mismatch(type, value);
    if (tag === 'none') return 'null';
    inner = val;
  } else if (value === undefined || value === null) {
    return 'null';
  }
  return some.kind === 'option' ? `{"some":${encode(some, inner)}}` : encode(some, inner);
}

function encodeCase(tag: string, type: WitType | undefined, val: unknown): string {
  const payload = type === undefined ? '' : `,"val":${encode(type, val)}`;
  return `{"tag":${JSON.stringify(tag)}${payload}}`;
}

function properties(type: WitType, value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw mismatch(type, value);
  return { ...value };
}

function mismatch(type: WitType, value: unknown): Error {
  return new Error(`jco returned a ${typeof value} for a value of kind ${type.kind}`);
}
