import type { FileSystem } from '../files/port.ts';
import { createWallClock } from '../guest-host/host/clocks.ts';
import type { RunContext } from '../guest-host/host/context.ts';
import { GuestClocks } from './clocks.ts';
import { descriptorCalls } from './descriptor-calls.ts';
import { DescriptorTable } from './descriptors.ts';
import { environmentCalls } from './environment-calls.ts';
import { errnoOf } from './errno.ts';
import type { GuestHost, HostCall, HostCalls } from './host.ts';
import { listingCalls } from './listing-calls.ts';
import type { GuestMemory } from './memory.ts';
import { pathCalls } from './path-calls.ts';
import { pollCalls } from './poll-calls.ts';
import { processCalls } from './process-calls.ts';
import { transferCalls } from './transfer-calls.ts';
import { type InterfaceVersion, snapshotPreview1, unstable } from './version.ts';

type Import = (...parameters: readonly unknown[]) => number;
type ImportedModule = Readonly<Record<string, Import>>;

/**
 * The modules that a core module may import, each made when it is first asked for. Getters of a class, since an
 * object literal with getters costs a shape of its own for each instance, which outlives it.
 */
export class GuestImports {
  readonly #host: GuestHost;
  #snapshotPreview1: ImportedModule | undefined;
  #unstable: ImportedModule | undefined;

  constructor(context: RunContext, memory: GuestMemory, files: FileSystem | undefined) {
    const descriptors = new DescriptorTable(files?.preopens ?? []);
    this.#host = { context, memory, descriptors, clocks: new GuestClocks(createWallClock()) };
  }

  /** The guest begins to run now. */
  begin(): void {
    this.#host.clocks.begin();
  }

  get wasi_snapshot_preview1(): ImportedModule {
    this.#snapshotPreview1 ??= importedModule(this.#host, snapshotPreview1);
    return this.#snapshotPreview1;
  }

  get wasi_unstable(): ImportedModule {
    this.#unstable ??= importedModule(this.#host, unstable);
    return this.#unstable;
  }
}

function importedModule(host: GuestHost, version: InterfaceVersion): ImportedModule {
  const groups: readonly HostCalls[] = [
    environmentCalls(host),
    processCalls(host),
    descriptorCalls(host, version),
    transferCalls(host),
    listingCalls(host),
    pathCalls(host, version),
    pollCalls(host, version),
  ];
  const imports: Record<string, Import> = {};
  for (const calls of groups) {
    // Each instance has its own: this is three times as quick as spreading and `Object.fromEntries`.
    for (const name in calls) {
      const call = calls[name];
      if (call !== undefined) imports[name] = answering(host.memory, call);
    }
  }
  return imports;
}

/**
 * The function as the guest imports it. What is no answer to the call is thrown on: the exit of the guest, an
 * overflow of its stack, an error of ours.
 */
function answering(memory: GuestMemory, call: HostCall): Import {
  const invoke = call as (...parameters: readonly unknown[]) => void;
  // Nine parameters, as path_open has: a rest parameter would make an array for each call.
  return (a, b, c, d, e, f, g, h, i) => {
    memory.refresh();
    try {
      invoke(a, b, c, d, e, f, g, h, i);
      return 0;
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (errno === undefined) throw thrown;
      return errno;
    }
  };
}
