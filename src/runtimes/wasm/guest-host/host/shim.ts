import * as wasi from '@bytecodealliance/preview2-shim';
import { WASIShim } from '@bytecodealliance/preview2-shim/instantiation';
import { callExtension } from '@bytecodealliance/preview2-shim/io-worker';
import type { FileSystem } from '../../files/port.ts';
import type { NetworkRules, ProgramFacts } from '../../hosts/protocol.ts';
import type { Operation, RefusalReport } from '../network/extension.ts';
import type { RunContext } from './context.ts';
import { createFilesystem } from './filesystem.ts';
import type { HostFactory } from './imports.ts';
import { type GuestImports, plainInterfaces } from './interfaces.ts';
import { createIo, type IoClasses } from './io.ts';
import { networkInterfaces } from './network-interfaces.ts';

/** Sockets and HTTP from preview2-shim; everything else is ours also here. */
export function createShimImports(
  program: ProgramFacts,
  context: RunContext,
  files: FileSystem,
): GuestImports {
  const shim = new WASIShim({
    sandbox: { preopens: {}, env: {}, args: [], enableNetwork: program.network.length > 0 },
  });
  const io = createIo(shimClasses(), context);
  return {
    ...shim.getImportObject(),
    ...plainInterfaces(context, io),
    ...createFilesystem(io, files),
    ...(program.network.length > 0 ? networkInterfaces() : noNetwork()),
  };
}

/** The network of the shim's thread. Nothing but this thread uses it, and only one guest at a time. */
export function networkOf(
  entries: readonly string[],
  guards: string,
): Pick<HostFactory, 'connect' | 'disconnect'> {
  const extension = new URL(guards);
  const ask = (...[operation, ...parameters]: Operation) => callExtension(extension, operation, parameters);
  // Nothing is reached without the guards.
  ask('end');
  return {
    connect(rules: NetworkRules, report: RefusalReport) {
      ask('begin', { ...rules, entries }, report);
    },
    disconnect() {
      try {
        return ask('end') === true;
      } catch {
        // The thread has failed, and fails from now on.
        return false;
      }
    },
  };
}

const { InputStream, OutputStream } = wasi.io.streams;
const { blockingSplice, splice } = OutputStream.prototype;
type ShimInput = typeof InputStream.prototype;
type ShimOutput = typeof OutputStream.prototype;

// Its output streams take bytes only from input streams that its own thread knows: ours are read here.
OutputStream.prototype.splice = function (this: ShimOutput, source: ShimInput, length: bigint) {
  return isOurs(source) ? take(this, source, length) : splice.call(this, source, length);
};
OutputStream.prototype.blockingSplice = function (this: ShimOutput, source: ShimInput, length: bigint) {
  if (!isOurs(source)) return blockingSplice.call(this, source, length);
  if (this.checkWrite() === 0n) this.subscribe().block();
  return take(this, source, length);
};

function isOurs(source: ShimInput): boolean {
  return Object.getPrototypeOf(source) !== InputStream.prototype;
}

function take(target: ShimOutput, source: ShimInput, length: bigint): bigint {
  const room = target.checkWrite();
  const bytes = source.read(length < room ? length : room);
  target.write(bytes);
  return BigInt(bytes.length);
}

function shimClasses(): IoClasses {
  const { streams, poll, error } = wasi.io;
  return {
    InputStream: streams.InputStream as unknown as IoClasses['InputStream'],
    OutputStream: streams.OutputStream as unknown as IoClasses['OutputStream'],
    Pollable: poll.Pollable as unknown as IoClasses['Pollable'],
    IoError: error.Error as unknown as IoClasses['IoError'],
    pollForeign: (pollables, deadline) => {
      const waits = [...pollables] as unknown as Parameters<typeof poll.poll>[0];
      if (deadline === undefined) {
        poll.poll(waits);
        return;
      }
      const alarm = wasi.clocks.monotonicClock.subscribeInstant(deadline);
      try {
        poll.poll([...waits, alarm]);
      } finally {
        (alarm as unknown as Disposable)[Symbol.dispose]();
      }
    },
  };
}

/**
 * The shim denies by asking a network object that a socket got at bind, and an unbound UDP socket has none, so
 * without a network no socket comes to be at all.
 */
function noNetwork(): GuestImports {
  const deny = () => {
    throw 'access-denied';
  };
  const { ipNameLookup } = wasi.sockets;
  return {
    'wasi:sockets/tcp-create-socket': { createTcpSocket: deny },
    'wasi:sockets/udp-create-socket': { createUdpSocket: deny },
    'wasi:sockets/ip-name-lookup': { ...ipNameLookup, resolveAddresses: deny },
    'wasi:http/outgoing-handler': {
      handle: () => {
        throw { tag: 'HTTP-request-denied' };
      },
    },
  };
}
