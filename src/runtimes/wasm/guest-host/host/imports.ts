import { anchorOf, holdsDescriptors, pathAnchorOf } from '../../files/anchor.ts';
import { createFileSystem } from '../../files/file-system.ts';
import type { FileSystem } from '../../files/port.ts';
import type { NetworkRules, ProgramFacts } from '../../hosts/protocol.ts';
import type { RefusalReport } from '../network/extension.ts';
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

export interface HostFactory {
  /** @throws where a folder of a preopen cannot be opened */
  instance(context: RunContext): InstanceHost;
  /** Lets the network be reached, until `disconnect`. */
  connect(rules: NetworkRules, report: RefusalReport): void;
  /** Closes what is open on the network; false where that could not be done. */
  disconnect(): boolean;
}

/**
 * The host that a program sees; everything is denied that the task does not grant. The shim, which starts a
 * second thread, is loaded only for sockets and HTTP.
 *
 * @param guards see `CodeMessage`
 */
export async function hostFor(program: ProgramFacts, guards: string): Promise<HostFactory> {
  const usesShim = program.imports.some((name) => /^wasi:(http|sockets)\//.test(name));
  const shim = usesShim ? await import('./shim.ts') : undefined;
  const makeImports = shim?.createShimImports ?? createOwnImports;
  const network =
    shim !== undefined && program.network.length > 0 ? shim.networkOf(program.network, guards) : noNetwork;
  return {
    instance(context) {
      const files = filesOf(program);
      return { imports: makeImports(program, context, files), close: () => files.close() };
    },
    ...network,
  };
}

const noNetwork = { connect: () => {}, disconnect: () => true };

/** @throws where a folder of a preopen cannot be opened */
export function filesOf({ preopens, openFiles, unsafePreopens }: ProgramFacts): FileSystem {
  const hold = unsafePreopens && !holdsDescriptors ? pathAnchorOf : anchorOf;
  return createFileSystem({ preopens, openFiles, hold });
}

function createOwnImports(_program: ProgramFacts, context: RunContext, files: FileSystem): GuestImports {
  const io = createIo(ownClasses(), context);
  return { ...plainInterfaces(context, io), ...createFilesystem(io, files) };
}
