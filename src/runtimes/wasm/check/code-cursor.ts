import { MalformedWasm, RefusedFeature } from './binary.ts';
import { immediate } from './instructions.ts';

/**
 * A cursor over instructions. It does not look where the body ends, which its owner does after each instruction:
 * past the end of the module it reads zeros.
 */
export class CodeCursor {
  readonly #bytes: Uint8Array;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  peek(): number {
    return this.#bytes[this.position] ?? 0;
  }

  byte(): number {
    const value = this.#bytes[this.position] ?? 0;
    this.position += 1;
    return value;
  }

  /** Unsigned LEB128 of 32 bits. */
  number(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let result = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      if (scale > 2 ** 32) throw new MalformedWasm(`a number of more than 32 bits at byte ${this.position}`);
      byte = this.byte();
      result += (byte & 0x7f) * scale;
    }
    return result;
  }

  skipNumber(): void {
    const bytes = this.#bytes;
    let position = this.position;
    while ((bytes[position] ?? 0) >= 0x80) position += 1;
    this.position = position + 1;
  }

  skipValueType(): void {
    const type = this.byte();
    if (type === 0x63 || type === 0x64) this.skipNumber();
  }

  /** @param prefix of the opcode, for the message; @throws RefusedFeature where the instruction is not known */
  skipImmediate(kind: number, opcode: number, prefix: string): void {
    switch (kind) {
      case immediate.none:
        break;
      case immediate.number:
        this.skipNumber();
        break;
      case immediate.memory:
        this.#skipMemoryArgument();
        break;
      case immediate.twoNumbers:
        this.skipNumber();
        this.skipNumber();
        break;
      case immediate.memoryAndLane:
        this.#skipMemoryArgument();
        this.position += 1;
        break;
      case immediate.oneByte:
        this.position += 1;
        break;
      case immediate.fourBytes:
        this.position += 4;
        break;
      case immediate.eightBytes:
        this.position += 8;
        break;
      case immediate.sixteenBytes:
        this.position += 16;
        break;
      default:
        throw unknownInstruction(opcode, prefix);
    }
  }

  #skipMemoryArgument(): void {
    const hasMemory = (this.peek() & 0x40) !== 0;
    this.skipNumber();
    if (hasMemory) this.skipNumber();
    this.skipNumber();
  }
}

/** Those that the engine does not take without a flag, or that the gate cannot bound. */
const namedInstructions: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^0x(d3|fb)$/, 'instructions of the GC proposal'],
  [/^0xe[0-5]$/, 'stack switching'],
  [/^0xfc 0x12$/, 'memory.discard'],
  [/^0xfc 0x1[3-6]$/, 'wide arithmetic'],
];

export function unknownInstruction(opcode: number, prefix = ''): RefusedFeature {
  const number = `${prefix}0x${opcode.toString(16).padStart(2, '0')}`;
  const name = namedInstructions.find(([pattern]) => pattern.test(number))?.[1];
  return new RefusedFeature(
    name === undefined ? `an unknown instruction (${number})` : `${name} (instruction ${number})`,
  );
}
