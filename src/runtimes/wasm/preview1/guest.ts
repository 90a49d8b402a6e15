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

/** One instance of a core module of WASI preview 1. */
export interface ModuleGuest extends Guest {
  /** Closes what the guest has left open. */
  close(): void;
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
): ModuleGuest {
  const memory = new GuestMemory();
  const { exports } = new WebAssembly.Instance(module, new GuestImports(context, memory, files));
  memory.attach(exports.memory);
  const { _start: start } = exports;
  if (typeof start !== 'function') throw new Error('the module exports no function _start');
  return {
    context,
    runCommand: () => start(),
    call() {
      throw new Error('a core module has no functions with types');
    },
    memory: () => ({ used: memory.size, cap: memoryCap }),
    close: () => files?.close(),
  };
}
