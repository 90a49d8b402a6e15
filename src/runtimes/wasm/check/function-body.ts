import { MalformedWasm } from './binary.ts';
import { CodeCursor, unknownInstruction } from './code-cursor.ts';
import {
  atomic,
  bulk,
  callCost,
  type InstructionTable,
  immediate,
  indirectCallCost,
  plain,
  vector,
} from './instructions.ts';

/** How many values go in and come out. */
export interface Arity {
  readonly parameters: number;
  readonly results: number;
}

/** What a body refers to by index. */
export interface CodeContext {
  readonly types: readonly Arity[];
  /** The type index of each function, imported ones first. */
  readonly functions: readonly number[];
  /** How many values each exception tag carries. */
  readonly tags: readonly number[];
}

/** What the engine's compilers make of a function depends on these. */
export interface FunctionShape {
  /** Parameters included. */
  locals: number;
  /** Of the body. */
  bytes: number;
  /** Places where control flow splits or comes together. */
  edges: number;
  /**
   * The sum over all edges of the values that are alive there, locals and operands: each compiler keeps a state,
   * makes a phi or emits a move for each of them.
   */
  merges: number;
  /**
   * The sum over all joins of (edges that come in) × (locals that are set in the block or loop, and its values):
   * the inputs of phis that the optimising compiler cannot leave out.
   */
  phiInputs: number;
  /** The sum of what `instructions.ts` says that instructions cost, in bytes. */
  instructionCost: number;
  /** The sum of the bytes of all loops: one in another counts twice, for each is looked through on its own. */
  loopBytes: number;
}

interface Frame {
  /** Operands below its parameters. */
  readonly base: number;
  readonly type: Arity;
  /** Where a loop begins; -1 for another block. */
  readonly loop: number;
  readonly catches: boolean;
  /** Locals set in the function before it. */
  readonly setsBefore: number;
  /** Branches to its label, and to the handlers of exceptions in it. */
  branches: number;
}

const localSet = 0x21;
const localTee = 0x22;
const nothing: Arity = { parameters: 0, results: 0 };
const oneResult: Arity = { parameters: 0, results: 1 };

/**
 * Reads the instructions of functions, once and without checking types, which the engine does. In code that cannot
 * be reached the height of the operand stack is an upper bound, elsewhere it is exact.
 */
export class BodyReader {
  readonly #cursor: CodeCursor;
  readonly #context: CodeContext;
  readonly #frames: Frame[] = [];
  /** The frames that catch exceptions, outermost first. */
  readonly #catching: Frame[] = [];
  #shape = emptyShape();
  #end = 0;
  #height = 0;
  #sets = 0;

  constructor(bytes: Uint8Array, context: CodeContext) {
    this.#cursor = new CodeCursor(bytes);
    this.#context = context;
  }

  /** @throws RefusedFeature for an instruction that is not known */
  read(from: number, to: number, type: Arity): FunctionShape {
    this.#cursor.position = from;
    this.#end = to;
    this.#height = 0;
    this.#sets = 0;
    this.#frames.length = 0;
    this.#catching.length = 0;
    this.#shape = emptyShape();
    this.#shape.bytes = to - from;
    this.#readLocals(type.parameters);
    this.#open({ parameters: 0, results: type.results });
    this.#readInstructions();
    if (this.#cursor.position !== to) throw this.#endless();
    return this.#shape;
  }

  #readLocals(parameters: number): void {
    this.#shape.locals = parameters;
    for (let groups = this.#cursor.number(); groups > 0; groups -= 1) {
      if (this.#cursor.position >= this.#end) throw this.#endless();
      this.#shape.locals += this.#cursor.number();
      this.#cursor.skipValueType();
    }
  }

  #readInstructions(): void {
    const { immediates, effects, costs } = plain;
    const cursor = this.#cursor;
    while (this.#frames.length > 0) {
      if (cursor.position >= this.#end) throw this.#endless();
      const opcode = cursor.byte();
      const kind = immediates[opcode] ?? immediate.unknown;
      if (kind === immediate.special) {
        this.#readSpecial(opcode);
        continue;
      }
      cursor.skipImmediate(kind, opcode, '');
      this.#height += effects[opcode] ?? 0;
      this.#shape.instructionCost += costs[opcode] ?? 0;
      if (opcode === localSet || opcode === localTee) this.#sets += 1;
    }
  }

  #readSpecial(opcode: number): void {
    switch (opcode) {
      case 0x10: // call
        this.#shape.instructionCost += callCost;
        this.#call(this.#arityOf(this.#cursor.number()), 0);
        break;
      case 0x11: // call_indirect
        this.#shape.instructionCost += indirectCallCost;
        this.#call(this.#type(this.#cursor.number()), 1);
        this.#cursor.skipNumber();
        break;
      case 0x14: // call_ref
        this.#shape.instructionCost += indirectCallCost;
        this.#call(this.#type(this.#cursor.number()), 1);
        break;
      case 0x12: // return_call
      case 0x15: // return_call_ref
        this.#shape.instructionCost += indirectCallCost;
        this.#cursor.skipNumber();
        this.#leave();
        break;
      case 0x13: // return_call_indirect
        this.#shape.instructionCost += indirectCallCost;
        this.#cursor.skipNumber();
        this.#cursor.skipNumber();
        this.#leave();
        break;
      case 0x1c: // select with types
        for (let left = this.#vector(); left > 0; left -= 1) this.#cursor.skipValueType();
        this.#height -= 2;
        break;
      case 0xfc:
        this.#readPrefixed(bulk, '0xfc ');
        break;
      case 0xfd:
        this.#readPrefixed(vector, '0xfd ');
        break;
      case 0xfe:
        this.#readPrefixed(atomic, '0xfe ');
        break;
      default:
        this.#readControl(opcode);
    }
  }

  #readControl(opcode: number): void {
    switch (opcode) {
      case 0x02: // block
        this.#open(this.#blockType());
        break;
      case 0x03: // loop
        this.#open(this.#blockType(), this.#cursor.position);
        break;
      case 0x04: // if
        this.#height -= 1;
        this.#open(this.#blockType());
        break;
      case 0x05: // else
        this.#restart(this.#frame().type.parameters);
        break;
      case 0x0b: // end
        this.#close();
        break;
      case 0x0c: // br
        this.#branch();
        this.#leave();
        break;
      case 0x0d: // br_if
      case 0xd6: // br_on_non_null
        this.#branch();
        this.#height -= 1;
        this.#edge();
        break;
      case 0xd5: // br_on_null
        this.#branch();
        this.#edge();
        break;
      case 0x0e: // br_table
        this.#readBranchTable();
        break;
      case 0x00: // unreachable
      case 0x0f: // return
        this.#leave();
        break;
      default:
        this.#readException(opcode);
    }
  }

  /** Both forms: try_table, and try with its handlers, which came before it. */
  #readException(opcode: number): void {
    switch (opcode) {
      case 0x06: // try
        this.#open(this.#blockType(), -1, true);
        break;
      case 0x07: // catch
        this.#restart(this.#context.tags[this.#cursor.number()] ?? 0);
        break;
      case 0x19: // catch_all
        this.#restart(0);
        break;
      case 0x18: // delegate
        this.#cursor.skipNumber();
        this.#close();
        break;
      case 0x08: // throw
      case 0x09: // rethrow
        this.#cursor.skipNumber();
        this.#raise();
        break;
      case 0x0a: // throw_ref
        this.#raise();
        break;
      case 0x1f: // try_table
        this.#readTryTable();
        break;
      default:
        throw unknownInstruction(opcode);
    }
  }

  #readPrefixed({ immediates, effects, costs }: InstructionTable, prefix: string): void {
    const opcode = this.#cursor.number();
    this.#cursor.skipImmediate(immediates[opcode] ?? immediate.unknown, opcode, prefix);
    this.#height += effects[opcode] ?? 0;
    this.#shape.instructionCost += costs[opcode] ?? 0;
  }

  #readBranchTable(): void {
    const targets = this.#vector() + 1;
    for (let left = targets; left > 0; left -= 1) this.#branch();
    this.#edge(targets);
    this.#leave();
  }

  #readTryTable(): void {
    const type = this.#blockType();
    const clauses = this.#vector();
    for (let left = clauses; left > 0; left -= 1) {
      if (this.#cursor.byte() < 0x02) this.#cursor.skipNumber();
      this.#branch();
    }
    this.#edge(clauses);
    this.#open(type, -1, true);
  }

  #open(type: Arity, loop = -1, catches = false): void {
    this.#edge();
    const base = Math.max(0, this.#height - type.parameters);
    const frame = { base, type, loop, catches, setsBefore: this.#sets, branches: 0 };
    this.#frames.push(frame);
    if (catches) this.#catching.push(frame);
  }

  #close(): void {
    const frame = this.#frame();
    this.#frames.pop();
    if (frame.catches) this.#catching.pop();
    if (frame.loop >= 0) this.#shape.loopBytes += this.#cursor.position - frame.loop;
    if (this.#frames.length > 0) {
      const set = Math.min(this.#shape.locals, this.#sets - frame.setsBefore);
      const { parameters, results } = frame.type;
      this.#shape.phiInputs +=
        (frame.branches + 1) * (set + (frame.loop < 0 ? results : parameters + results));
    }
    this.#height = frame.base + frame.type.results;
    this.#edge();
  }

  /** The other arm of a block. */
  #restart(operands: number): void {
    this.#edge();
    const frame = this.#frame();
    frame.branches += 1;
    this.#height = frame.base + operands;
  }

  /** What follows in the block cannot be reached. */
  #leave(): void {
    this.#edge();
    this.#height = this.#frame().base;
  }

  #raise(): void {
    const catching = this.#catching.at(-1);
    if (catching !== undefined) catching.branches += 1;
    this.#leave();
  }

  #call(type: Arity, extra: number): void {
    this.#height += type.results - type.parameters - extra;
    const catching = this.#catching.at(-1);
    if (catching === undefined) return;
    catching.branches += 1;
    this.#edge();
  }

  /** Reads a label. */
  #branch(): void {
    const target = this.#frames[this.#frames.length - 1 - this.#cursor.number()];
    if (target === undefined) throw new MalformedWasm(`a branch to nowhere at byte ${this.#cursor.position}`);
    target.branches += 1;
  }

  #edge(times = 1): void {
    // Only code that cannot be reached takes operands that are not there.
    const base = this.#frames[this.#frames.length - 1]?.base ?? 0;
    if (this.#height < base) this.#height = base;
    this.#shape.edges += times;
    this.#shape.merges += times * (this.#shape.locals + this.#height);
  }

  #frame(): Frame {
    const frame = this.#frames[this.#frames.length - 1];
    if (frame === undefined) throw this.#endless();
    return frame;
  }

  /** Reads how many entries follow, of a byte or more each. */
  #vector(): number {
    const count = this.#cursor.number();
    if (count > this.#end - this.#cursor.position) throw this.#endless();
    return count;
  }

  #blockType(): Arity {
    const first = this.#cursor.peek();
    if (first < 0x40 || first >= 0x80) return this.#type(this.#cursor.number());
    this.#cursor.skipValueType();
    return first === 0x40 ? nothing : oneResult;
  }

  #type(index: number): Arity {
    const type = this.#context.types[index];
    if (type === undefined) throw new MalformedWasm(`no type ${index} at byte ${this.#cursor.position}`);
    return type;
  }

  #arityOf(index: number): Arity {
    const type = this.#context.functions[index];
    if (type === undefined) throw new MalformedWasm(`no function ${index} at byte ${this.#cursor.position}`);
    return this.#type(type);
  }

  #endless(): MalformedWasm {
    return new MalformedWasm(`a function body that does not end at byte ${this.#end}`);
  }
}

function emptyShape(): FunctionShape {
  return { locals: 0, bytes: 0, edges: 0, merges: 0, phiInputs: 0, instructionCost: 0, loopBytes: 0 };
}
