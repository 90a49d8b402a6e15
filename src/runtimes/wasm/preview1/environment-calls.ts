import type { GuestHost, HostCalls } from './host.ts';
import type { GuestMemory } from './memory.ts';

/** `args_*` and `environ_*`. */
export function environmentCalls({ context, memory }: GuestHost): HostCalls {
  const args = new StringList(() => context.args);
  const environment = new StringList(() => context.environment.map(([name, value]) => `${name}=${value}`));
  return {
    args_sizes_get: (count: number, size: number) => args.writeSizes(memory, count, size),
    args_get: (pointers: number, bytes: number) => args.write(memory, pointers, bytes),
    environ_sizes_get: (count: number, size: number) => environment.writeSizes(memory, count, size),
    environ_get: (pointers: number, bytes: number) => environment.write(memory, pointers, bytes),
  };
}

/** Strings as C has them, encoded when the guest first asks; it asks for their size, and then for them. */
class StringList {
  readonly #strings: () => readonly string[];
  #encoded: readonly Buffer[] | undefined;

  constructor(strings: () => readonly string[]) {
    this.#strings = strings;
  }

  writeSizes(memory: GuestMemory, count: number, size: number): void {
    const encoded = this.#encode();
    memory.check(size, 4);
    memory.setU32(count, encoded.length);
    memory.setU32(size, bytesOf(encoded));
  }

  write(memory: GuestMemory, pointers: number, bytes: number): void {
    const encoded = this.#encode();
    memory.checkArray(pointers, encoded.length, 4);
    memory.check(bytes, bytesOf(encoded));
    let at = bytes >>> 0;
    for (const [index, string] of encoded.entries()) {
      memory.setU32((pointers >>> 0) + index * 4, at);
      memory.put(at, string);
      at += string.length;
    }
  }

  #encode(): readonly Buffer[] {
    this.#encoded ??= this.#strings().map((string) => Buffer.from(`${string}\0`));
    return this.#encoded;
  }
}

function bytesOf(encoded: readonly Buffer[]): number {
  return encoded.reduce((sum, string) => sum + string.length, 0);
}
