import type { ProgramFacts } from '../../protocol.ts';
import type { RunContext } from './context.ts';
import { type GuestImports, plainInterfaces } from './interfaces.ts';
import { createIo, ownClasses } from './io.ts';

/** Makes the imports of one instance. */
export type ImportFactory = (context: RunContext) => GuestImports;

/**
 * The host that a program sees; everything is denied that the task does not grant. The shim, which starts a
 * second thread, is loaded only for files, sockets and HTTP.
 */
export async function importsFor(program: ProgramFacts): Promise<ImportFactory> {
  const usesShim =
    Object.keys(program.preopens).length > 0 ||
    program.imports.some((name) => /^wasi:(http|sockets)\//.test(name));
  if (usesShim) {
    const { createShimImports } = await import('./shim.ts');
    return (context) => createShimImports(program, context);
  }
  return (context) => {
    const io = createIo(ownClasses(), context);
    return { ...plainInterfaces(context, io), ...noFiles };
  };
}

/** `wasi:filesystem` without a single directory: no descriptor can ever exist. */
const noFiles: GuestImports = {
  'wasi:filesystem/preopens': { getDirectories: () => [] },
  'wasi:filesystem/types': {
    Descriptor: class Descriptor {},
    DirectoryEntryStream: class DirectoryEntryStream {},
    filesystemErrorCode: () => undefined,
  },
};
