/** Writes core WebAssembly modules. What is asked for is written, valid or not. */
import { encodeU32 } from '../../src/runtimes/wasm/check/binary.ts';

export type Code = readonly number[];
export type CoreType = 'i32' | 'i64';

export interface FunctionType {
  readonly params: readonly CoreType[];
  readonly results: readonly CoreType[];
}

interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}

interface WrittenFunction {
  readonly type: FunctionType;
  /** How many i32 it declares. */
  readonly locals: number;
  /** Without the `end` of the function. */
  readonly code: Code;
}

/** Functions are numbered as in the format: imports first. */
export interface WrittenModule {
  readonly imports: readonly Import[];
  readonly functions: readonly WrittenFunction[];
  /** The function that is exported as `_start`. */
  readonly start: number;
  /** What the table holds, by number of the function. */
  readonly table?: readonly number[];
  /** In pages; it may grow to `most`. */
  readonly memory: { readonly least: number; readonly most: number };
  /** The first values of mutable i32 globals. */
  readonly globals: readonly number[];
  readonly data: readonly { readonly at: number; readonly bytes: Uint8Array }[];
}

const codes: Readonly<Record<CoreType, number>> = { i32: 0x7f, i64: 0x7e };
const magic = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const end = 0x0b;

export function i32Const(value: number): Code {
  return [0x41, ...encodeSigned(BigInt(value | 0))];
}

export function i64Const(value: bigint): Code {
  return [0x42, ...encodeSigned(BigInt.asIntN(64, value))];
}

export function call(index: number): Code {
  return [0x10, ...encodeU32(index)];
}

/** Reads the i32 at a fixed address. */
export function loadFrom(address: number): Code {
  return [...i32Const(address), 0x28, 2, 0];
}

export function writeModule(module: WrittenModule): Uint8Array {
  const { imports, functions, table = [], memory, globals, data, start } = module;
  const types: string[] = [];
  const typeOf = ({ params, results }: FunctionType): number => {
    const key = `${params.join()}>${results.join()}`;
    if (!types.includes(key)) types.push(key);
    return types.indexOf(key);
  };
  const imported = imports.map(({ module: from, name, type }) => [
    ...text(from),
    ...text(name),
    0,
    ...encodeU32(typeOf(type)),
  ]);
  const declared = functions.map(({ type }) => [...encodeU32(typeOf(type))]);
  const written = types.map((key) => {
    const [params, results] = key.split('>').map((list) => list.split(',').filter(Boolean) as CoreType[]);
    return [
      0x60,
      ...list((params ?? []).map((type) => [codes[type]])),
      ...list((results ?? []).map((type) => [codes[type]])),
    ];
  });
  const bodies = functions.map(({ locals, code }) => {
    const body = [...(locals === 0 ? [0] : [1, ...encodeU32(locals), codes.i32]), ...code, end];
    return [...encodeU32(body.length), ...body];
  });
  return Buffer.concat([
    Buffer.from(magic),
    section(1, list(written)),
    section(2, list(imported)),
    section(3, list(declared)),
    ...(table.length === 0 ? [] : [section(4, [1, 0x70, 0, ...encodeU32(table.length)])]),
    section(5, [1, 1, ...encodeU32(memory.least), ...encodeU32(memory.most)]),
    section(6, list(globals.map((value) => [codes.i32, 1, ...i32Const(value), end]))),
    section(
      7,
      list([
        [...text('memory'), 2, 0],
        [...text('_start'), 0, ...encodeU32(start)],
      ]),
    ),
    ...(table.length === 0
      ? []
      : [section(9, [1, 0, ...i32Const(0), end, ...list(table.map((index) => [...encodeU32(index)]))])]),
    section(10, list(bodies)),
    section(
      11,
      list(data.map(({ at, bytes }) => [0, ...i32Const(at), end, ...encodeU32(bytes.length), ...bytes])),
    ),
  ]);
}

function section(id: number, content: Code): Uint8Array {
  return Buffer.from([id, ...encodeU32(content.length), ...content]);
}

function list(items: readonly Code[]): Code {
  return [...encodeU32(items.length), ...items.flat()];
}

function text(value: string): Code {
  const bytes = Buffer.from(value);
  return [...encodeU32(bytes.length), ...bytes];
}

function encodeSigned(value: bigint): Code {
  const bytes: number[] = [];
  for (let left = value; ; ) {
    const low = Number(left & 0x7fn);
    left >>= 7n;
    const done = (left === 0n && (low & 0x40) === 0) || (left === -1n && (low & 0x40) !== 0);
    bytes.push(done ? low : low | 0x80);
    if (done) return bytes;
  }
}
