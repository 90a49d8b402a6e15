import type { OutputStream } from '../../../../src/domain/event.ts';
import type { FileSystem } from '../../../../src/runtimes/wasm/files/port.ts';
import type { RunContext } from '../../../../src/runtimes/wasm/guest-host/host/context.ts';
import { GuestImports } from '../../../../src/runtimes/wasm/preview1/imports.ts';
import { GuestMemory } from '../../../../src/runtimes/wasm/preview1/memory.ts';

/** `(module (memory (export "memory") 1 4))` */
const memoryModule = await WebAssembly.compile(
  Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, 1, 1, 4, 7, 10, 1, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0,
  ]),
);

/** A module that is nothing but its memory, of one page. */
export function createMemory(): WebAssembly.Instance {
  return new WebAssembly.Instance(memoryModule);
}

export const pageBytes = 65536;

export interface RawOptions {
  readonly files?: FileSystem;
  readonly input?: string;
  readonly args?: readonly string[];
  readonly environment?: RunContext['environment'];
  readonly module?: 'wasi_snapshot_preview1' | 'wasi_unstable';
}

/** The functions as a guest calls them, with a memory of one page that a test fills and reads itself. */
export class RawHost {
  readonly memory: WebAssembly.Memory;
  readonly context: RunContext;
  readonly chunks: [OutputStream, string][] = [];
  readonly imports: Readonly<Record<string, (...parameters: readonly unknown[]) => number>>;

  constructor({ files, input = '', args = [], environment = [], module }: RawOptions = {}) {
    const { exports } = createMemory();
    this.memory = exports.memory as WebAssembly.Memory;
    this.context = {
      input: Buffer.from(input),
      inputAt: 0,
      args,
      environment,
      write: (stream, bytes) => this.chunks.push([stream, Buffer.from(bytes).toString()]),
      exitCode: undefined,
    };
    const memory = new GuestMemory();
    memory.attach(this.memory);
    this.imports = new GuestImports(this.context, memory, files)[module ?? 'wasi_snapshot_preview1'];
  }

  /** @returns the error number; 0 is success */
  call(name: string, ...parameters: readonly (number | bigint)[]): number {
    const found = this.imports[name];
    if (found === undefined) throw new Error(`no function ${name}`);
    return found(...parameters);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** @returns the length in bytes */
  put(at: number, text: string | Uint8Array): number {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    new Uint8Array(this.memory.buffer).set(bytes, at);
    return bytes.length;
  }

  /** A list of buffers, each `[pointer, length]`. */
  putVectors(at: number, vectors: readonly (readonly [number, number])[]): void {
    for (const [index, [pointer, length]] of vectors.entries()) {
      this.view.setUint32(at + index * 8, pointer, true);
      this.view.setUint32(at + index * 8 + 4, length, true);
    }
  }

  text(at: number, length: number): string {
    return Buffer.from(this.memory.buffer, at, length).toString();
  }

  u32(at: number): number {
    return this.view.getUint32(at, true);
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }
}
