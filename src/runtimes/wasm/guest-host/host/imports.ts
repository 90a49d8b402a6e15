import { anchorOf, holdsDescriptors, pathAnchorOf } from '../../files/anchor.ts';
import { createFileSystem } from '../../files/file-system.ts';
import type { FileSystem } from '../../files/port.ts';
import type { ProgramFacts } from '../../protocol.ts';
import type { RunContext } from './context.ts';
import { createFilesystem } from './filesystem.ts';
import { type GuestImports, plainInterfaces } from './interfaces.ts';
import { createIo, ownClasses } from './io.ts';

/** What one instance is given. */
export interface InstanceHost {
  readonly imports: GuestImports;
  /** Closes what the instance has left open. */
  close(): void;
}

/** @throws where a folder of a preopen cannot be opened */
export type HostFactory = (context: RunContext) => InstanceHost;

/**
 * The host that a program sees; everything is denied that the task does not grant. The shim, which starts a
 * second thread, is loaded only for sockets and HTTP.
 */
export async function hostFor(program: ProgramFacts): Promise<HostFactory> {
  const usesShim = program.imports.some((name) => /^wasi:(http|sockets)\//.test(name));
  const makeImports = usesShim ? (await import('./shim.ts')).createShimImports : createOwnImports;
  return (context) => {
    const files = filesOf(program);
    return { imports: makeImports(program, context, files), close: () => files.close() };
  };
}

/** @throws where a folder of a preopen cannot be opened */
export function filesOf({ preopens, openFiles, unsafePreopens }: ProgramFacts): FileSystem {
  const hold = unsafePreopens && !holdsDescriptors ? pathAnchorOf : anchorOf;
  return createFileSystem({ preopens, openFiles, hold });
}

function createOwnImports(_program: ProgramFacts, context: RunContext, files: FileSystem): GuestImports {
  const io = createIo(ownClasses(), context);
  return { ...plainInterfaces(context, io), ...createFilesystem(io, files) };
}
