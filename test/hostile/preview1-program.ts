/** Programs of WASI preview 1, as a list of calls with their arguments. */
import { preview1Functions } from '../../src/runtimes/wasm/preview1/signatures.ts';
import { type Code, call, i32Const, i64Const, type WrittenModule, writeModule } from './module-writer.ts';

/** Where things are in the memory of such a program. */
export const addresses = {
  /** Vectors of buffers; see `vector`. */
  vectors: 256,
  /** Results, and the last descriptors that were opened: four bytes each. */
  results: 1024,
  subscriptions: 2048,
  events: 3072,
  paths: 4096,
  buffer: 32_768,
} as const;

const pageBytes = 65_536;
/** What `path_open` is asked for; a right that a file cannot have is not given. */
export const allRights = 0x1fff_ffffn;

/** The numbers of the functions of a program that are its own. */
const functionNames = Object.keys(preview1Functions);
/** A function of every program that returns another i32 each time (xorshift32). */
const randomFunction = functionNames.length;
export const randomNumber: Code = call(randomFunction);
const startFunction = randomFunction + 1;

// local.tee 0 of the state shifted left by 13, right by 17, left by 5, and mixed with itself each time.
const xorshift: Code = [
  ...[0x23, 0, 0x21, 0],
  ...[0x20, 0, 0x20, 0, ...i32Const(13), 0x74, 0x73, 0x21, 0],
  ...[0x20, 0, 0x20, 0, ...i32Const(17), 0x76, 0x73, 0x21, 0],
  ...[0x20, 0, 0x20, 0, ...i32Const(5), 0x74, 0x73, 0x22, 0],
  ...[0x24, 0, 0x20, 0],
];

/** A program under way: its paths are put into its memory as they are named. */
export class Preview1Program {
  readonly #module: string;
  readonly #data: { at: number; bytes: Uint8Array }[] = [];
  readonly #placed = new Map<string, number>();
  #nextPath: number = addresses.paths;
  #nextVector: number = addresses.vectors;

  constructor(module = 'wasi_snapshot_preview1') {
    this.#module = module;
  }

  /** The two arguments that a path is. One byte for each character. */
  path(path: string): Code[] {
    const bytes = Buffer.from(path, 'latin1');
    let at = this.#placed.get(path);
    if (at === undefined) {
      at = this.#nextPath;
      this.#nextPath += bytes.length;
      if (this.#nextPath > addresses.buffer) throw new Error('the paths of a program take too much room');
      this.#placed.set(path, at);
      this.#data.push({ at, bytes });
    }
    return [i32Const(at), i32Const(bytes.length)];
  }

  /** The two arguments that a vector of such buffers is. */
  vector(buffers: readonly { readonly at: number; readonly length: number }[]): Code[] {
    const at = this.#nextVector;
    this.#nextVector += 8 * buffers.length;
    if (this.#nextVector > addresses.results) throw new Error('the vectors of a program take too much room');
    const words = buffers.flatMap((buffer) => [buffer.at | 0, buffer.length | 0]);
    this.put(at, Buffer.from(Int32Array.from(words).buffer));
    return [i32Const(at), i32Const(buffers.length)];
  }

  put(at: number, bytes: Uint8Array): void {
    this.#data.push({ at, bytes });
  }

  /** Calls a function and drops what it answers. */
  call(name: string, ...args: readonly Code[]): Code {
    const { params, results } = signature(name);
    if (args.length !== params.length) throw new Error(`${name} takes ${params.length}, not ${args.length}`);
    return [...args.flat(), ...call(functionNames.indexOf(name)), ...(results.length === 0 ? [] : [0x1a])];
  }

  /** A module whose `_start` is this code. */
  write(code: Code, seed = 1): Uint8Array {
    const written: WrittenModule = {
      imports: functionNames.map((name) => ({ module: this.#module, name, type: signature(name) })),
      functions: [
        { type: { params: [], results: ['i32'] }, locals: 1, code: xorshift },
        { type: { params: [], results: [] }, locals: 0, code },
      ],
      start: startFunction,
      memory: { least: 2, most: 16 },
      globals: [seed | 1],
      data: this.#data,
    };
    return writeModule(written);
  }
}

/** Code over and over, without end. */
export function forever(code: Code): Code {
  return [0x03, 0x40, ...code, 0x0c, 0, 0x0b];
}

/** Any number up to so many bits, another each time; the type is that of the argument. */
export function anyNumber(type: 'i32' | 'i64', bits: number): Code {
  const mask = bits >= 32 ? -1 : 2 ** bits - 1;
  const narrow = [...randomNumber, ...i32Const(mask), 0x71];
  return type === 'i32' ? narrow : [...narrow, 0xac];
}

export function constant(type: 'i32' | 'i64', value: bigint): Code {
  return type === 'i32' ? i32Const(Number(BigInt.asIntN(32, value))) : i64Const(value);
}

export const memoryBytes = 2 * pageBytes;

function signature(name: string) {
  const found = preview1Functions[name];
  if (found === undefined) throw new Error(`no function ${name} in preview 1`);
  return found;
}
