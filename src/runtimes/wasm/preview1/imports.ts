import type { FileSystem } from '../files/port.ts';
import { createWallClock } from '../host/clocks.ts';
import type { RunContext } from '../host/context.ts';
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

/** The modules that a core module may import, each made when it is first asked for. */
export function createImports(context: RunContext, memory: GuestMemory, files: FileSystem | undefined) {
  const host: GuestHost = { context, memory, descriptors: new DescriptorTable(files?.preopens ?? []) };
  const clocks = new GuestClocks(createWallClock());
  const made = new Map<InterfaceVersion, ImportedModule>();

  function importsOf(version: InterfaceVersion): ImportedModule {
    const before = made.get(version);
    if (before !== undefined) return before;
    const calls: HostCalls = {
      ...environmentCalls(host),
      ...processCalls(host, clocks),
      ...descriptorCalls(host, version),
      ...transferCalls(host),
      ...listingCalls(host),
      ...pathCalls(host, version),
      ...pollCalls(host, clocks, version),
    };
    const imports = Object.fromEntries(
      Object.entries(calls).map(([name, call]) => [name, answering(memory, call)]),
    );
    made.set(version, imports);
    return imports;
  }

  return {
    get wasi_snapshot_preview1() {
      return importsOf(snapshotPreview1);
    },
    get wasi_unstable() {
      return importsOf(unstable);
    },
  };
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
