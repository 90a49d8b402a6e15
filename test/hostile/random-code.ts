/** Modules whose functions have any shape: blocks in loops, tables of branches, calls of each other, wild addresses. */
import type { Random } from '../crash/random.ts';
import { type Code, call, type FunctionType, i32Const, writeModule } from './module-writer.ts';

const type: FunctionType = { params: ['i32', 'i32'], results: ['i32'] };
const startType: FunctionType = { params: [], results: [] };
const deepest = 6;
/** i32: clz to rotr without the unary ones, comparisons included. Division traps at times, as it should. */
const binary = [
  0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x71, 0x72, 0x73, 0x74, 0x75, 0x77,
];
const unary = [0x45, 0x67, 0x68, 0x69, 0xc0, 0xc1];
/** load, load8, load16 and their stores, with the alignment that is natural to them. */
const loads = [
  [0x28, 2],
  [0x2c, 0],
  [0x2f, 1],
] as const;
const stores = [
  [0x36, 2],
  [0x3a, 0],
  [0x3b, 1],
] as const;

/** Valid by construction, but for one in eight, into which something is put that does not belong. */
export function randomCode(random: Random): Uint8Array {
  const functions = random.whole(1, 12);
  const locals = random.pick([0, 1, 3, 10, 100, 1000]);
  const spoiled = random.chance(0.125);
  const bodies = Array.from({ length: functions }, () => {
    const body = new Body(random, { functions, locals });
    const code = [...body.statements(0, 0), ...body.value(0)];
    if (spoiled) code.splice(random.whole(0, code.length), random.whole(0, 2), random.whole(0, 255));
    return { type, locals, code };
  });
  const most = random.pick([1, 16, 1024, 65_536]);
  const start = [...i32Const(random.whole(0, 99)), ...i32Const(-1), ...call(0), 0x1a];
  return writeModule({
    imports: [],
    functions: [...bodies, { type: startType, locals: 0, code: start }],
    start: functions,
    table: Array.from({ length: random.whole(1, 20) }, () => random.whole(0, functions - 1)),
    memory: { least: 1, most },
    globals: [0, random.whole(-9, 9)],
    data: [],
  });
}

class Body {
  readonly #random: Random;
  readonly #functions: number;
  readonly #locals: number;
  /** What it may still grow by, so that it ends. */
  #room: number;

  constructor(random: Random, { functions, locals }: { functions: number; locals: number }) {
    this.#random = random;
    this.#functions = functions;
    this.#locals = locals + type.params.length;
    this.#room = random.whole(20, 800);
  }

  /** Code that leaves the stack as it was; `labels` is how many blocks it stands in. */
  statements(depth: number, labels: number): Code {
    const made = Array.from({ length: this.#random.whole(1, 6) }, () => this.#statement(depth, labels));
    return made.flat();
  }

  /** Code that leaves one i32. */
  value(depth: number): Code {
    const random = this.#random;
    this.#room -= 1;
    if (depth >= deepest || this.#room <= 0) return this.#leaf();
    const deeper = () => this.value(depth + 1);
    switch (random.whole(0, 7)) {
      case 0:
      case 1:
        return [...deeper(), ...deeper(), random.pick(binary)];
      case 2:
        return [...deeper(), random.pick(unary)];
      case 3:
        return [...this.#address(deeper), ...random.pick(loads), random.whole(0, 100)];
      case 4:
        return [...deeper(), ...deeper(), ...call(random.whole(0, this.#functions - 1))];
      case 5:
        // The type of the functions is the first that the module names.
        return [...deeper(), ...deeper(), ...deeper(), 0x11, 0, 0];
      case 6:
        return [...deeper(), ...deeper(), ...deeper(), 0x1b];
      default:
        return this.#leaf();
    }
  }

  #statement(depth: number, labels: number): Code {
    const random = this.#random;
    this.#room -= 1;
    if (depth >= deepest || this.#room <= 0) return [];
    const inner = () => this.statements(depth + 1, labels + 1);
    const value = () => this.value(depth + 1);
    switch (random.whole(0, 8)) {
      case 0:
        return [0x02, 0x40, ...inner(), 0x0b];
      case 1:
        return [0x03, 0x40, ...inner(), ...value(), 0x0d, 0, 0x0b];
      case 2:
        return [...value(), 0x04, 0x40, ...inner(), 0x05, ...inner(), 0x0b];
      case 3:
        return labels === 0 ? [] : [...value(), 0x0d, random.whole(0, labels - 1)];
      case 4: {
        if (labels === 0) return [];
        const targets = Array.from({ length: random.whole(1, 100) }, () => random.whole(0, labels - 1));
        // In a block of its own: what comes after a br_table is not reached.
        return [0x02, 0x40, ...value(), 0x0e, targets.length, ...targets, 0, 0x0b];
      }
      case 5:
        return [...this.#address(value), ...value(), ...random.pick(stores), random.whole(0, 100)];
      case 6:
        return [...value(), 0x40, 0, 0x1a];
      case 7:
        return [...value(), 0x24, random.whole(0, 1)];
      default:
        return [...value(), 0x21, ...this.#local()];
    }
  }

  #address(any: () => Code): Code {
    // Inside of the first page, mostly.
    return this.#random.chance(0.9) ? [...any(), ...i32Const(0x7fff), 0x71] : any();
  }

  #leaf(): Code {
    const random = this.#random;
    switch (random.whole(0, 2)) {
      case 0:
        return i32Const(
          random.pick([0, 1, -1, 7, 65_536, 2 ** 31 - 1, random.whole(-(2 ** 31), 2 ** 31 - 1)]),
        );
      case 1:
        return [0x20, ...this.#local()];
      default:
        return [0x23, random.whole(0, 1)];
    }
  }

  #local(): Code {
    const index = this.#random.whole(0, this.#locals - 1);
    return index < 128 ? [index] : [(index & 0x7f) | 0x80, index >> 7];
  }
}

/** A program with some of its bytes changed, taken away, doubled or moved. */
export function mutant(random: Random, program: Uint8Array): Uint8Array {
  let bytes = Buffer.from(program);
  for (let change = random.whole(1, 8); change > 0; change -= 1) {
    const at = random.whole(0, bytes.length - 1);
    const length = random.whole(1, random.chance(0.1) ? 4096 : 4);
    const part = bytes.subarray(at, at + length);
    switch (random.whole(0, 3)) {
      case 0:
        bytes[at] = random.whole(0, 255);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(0, 7));
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
    }
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}
