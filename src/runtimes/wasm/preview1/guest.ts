import type { FileSystem } from '../files/port.ts';
import type { Guest } from '../guest-host/guest.ts';
import type { RunContext } from '../guest-host/host/context.ts';
import { GuestImports } from './imports.ts';
import { GuestMemory } from './memory.ts';

export interface ModuleOptions {
  /** Bytes that its linear memory may come to. */
  readonly memoryCap: number;
  /** What it may reach of files; without it, nothing. Closed with the guest. */
  readonly files?: FileSystem;
}

/**
 * Instantiates a command, which runs once, on this thread, and blocks it while it waits.
 *
 * @throws where an import is missing or does not fit, where its start section traps, and where it is no command
 */
export function createModuleGuest(
  module: WebAssembly.Module,
  context: RunContext,
  { memoryCap, files }: ModuleOptions,
): Guest {
  const memory = new GuestMemory();
  const close = (): void => files?.close();
  let start: () => unknown;
  let imports: GuestImports;
  try {
    imports = new GuestImports(context, memory, files);
    const { exports } = new WebAssembly.Instance(module, imports);
    if (typeof exports._start !== 'function') throw new Error('the module exports no function _start');
    start = exports._start as () => unknown;
    memory.attach(exports.memory);
  } catch (error) {
    close();
    throw error;
  }
  return {
    context,
    runCommand: () => {
      imports.begin();
      start();
    },
    call() {
      throw new Error('a core module has no functions with types');
    },
    memory: () => ({ used: memory.size, cap: memoryCap }),
    close,
  };
}
