/** The options that bound what callers and tasks may take of a node; docs/limits.md lists them. */
import { availableParallelism, totalmem } from 'node:os';
import { numberOf } from './config-values.ts';

export interface BoundsConfig {
  /** Of a request that carries an artifact or a piece of a snapshot there are bounds of their own. */
  readonly maxRequestBytes: number;
  /** Bytes of all requests under way, those that still arrive included. */
  readonly requestBytesInFlight: number;
  /** Values, keys and elements of one request. */
  readonly maxRequestValues: number;
  /** How long a request may bring no byte, in milliseconds. */
  readonly receiveIdleMs: number;
  /** How long all of a request may take to arrive, in milliseconds; one that uploads may take ten times that. */
  readonly receiveTotalMs: number;
  /** How long a caller may take nothing of what waits for it, in milliseconds. */
  readonly sendIdleMs: number;
  /** Bytes that may wait for all readers together; those that have taken nothing for longest are hung up on beyond. */
  readonly sendBytesInFlight: number;
  /** Connections of all callers, over gRPC and HTTP each. */
  readonly maxConnections: number;
  /** Of one address. */
  readonly maxConnectionsPerAddress: number;
  /** Calls at once on one gRPC connection; more wait at the caller. */
  readonly maxStreamsPerConnection: number;
  /** How long a connection without a call stays open, in milliseconds. */
  readonly idleConnectionMs: number;
  /** Streams that follow something: watches, and the page's event streams. */
  readonly maxWatchers: number;
  /** Of one connection. */
  readonly maxWatchersPerConnection: number;
  /** Of one principal; those who show nothing are one. */
  readonly maxWatchersPerPrincipal: number;
  /** Calls under way. */
  readonly maxCallsPerPrincipal: number;
  readonly maxCallsPerAddress: number;
  /** What a process may write to its own folder, in a file for each 16 KiB, or a container to its root. */
  readonly maxScratchBytes: number;
  /** Of one snapshot that is restored. */
  readonly maxSnapshotBytes: number;
  /** Snapshots that are restored at once. */
  readonly maxRestores: number;
  /** The most that a task may ask for; see TaskCaps. */
  readonly maxMemory: number;
  readonly maxCpu: number;
  readonly maxProcesses: number;
  readonly maxOpenFiles: number;
  readonly maxOutputBytes: number;
  readonly maxTimeout: number;
  readonly maxWarm: number;
  /** Bytes and cores that attempts reserve at once, by the limits of their tasks; infinity where nobody counts. */
  readonly guestMemory: number;
  readonly guestProcessors: number;
}

const mebibyte = 1024 * 1024;

/** `read` gives an option's text. Throws a RequestError that names the flag and what is allowed. */
export function resolveBounds(read: (name: keyof BoundsConfig) => string | undefined): BoundsConfig {
  const number = (name: keyof BoundsConfig, fallback?: number): number =>
    numberOf(name, read(name), fallback);
  const unlessAuto = (name: 'guestMemory' | 'guestProcessors', auto: () => number): number =>
    read(name) === 'auto' ? auto() : number(name, Number.POSITIVE_INFINITY);
  const maxRequestBytes = number('maxRequestBytes');
  const maxConnections = number('maxConnections');
  const maxWatchers = number('maxWatchers');
  return {
    maxRequestBytes,
    requestBytesInFlight: number('requestBytesInFlight', Math.max(4 * maxRequestBytes, 256 * mebibyte)),
    maxRequestValues: number('maxRequestValues'),
    receiveIdleMs: number('receiveIdleMs'),
    receiveTotalMs: number('receiveTotalMs'),
    sendBytesInFlight: number('sendBytesInFlight'),
    sendIdleMs: number('sendIdleMs'),
    maxConnections,
    maxConnectionsPerAddress: number('maxConnectionsPerAddress', Math.min(1024, maxConnections)),
    maxStreamsPerConnection: number('maxStreamsPerConnection'),
    idleConnectionMs: number('idleConnectionMs'),
    maxWatchers,
    maxWatchersPerConnection: number('maxWatchersPerConnection', Math.min(400, maxWatchers)),
    maxWatchersPerPrincipal: number('maxWatchersPerPrincipal', Math.ceil(0.8 * maxWatchers)),
    maxCallsPerPrincipal: number('maxCallsPerPrincipal'),
    maxCallsPerAddress: number('maxCallsPerAddress'),
    maxScratchBytes: number('maxScratchBytes'),
    maxSnapshotBytes: number('maxSnapshotBytes'),
    maxRestores: number('maxRestores'),
    maxMemory: number('maxMemory', totalmem()),
    maxCpu: number('maxCpu', availableParallelism()),
    maxProcesses: number('maxProcesses'),
    maxOpenFiles: number('maxOpenFiles'),
    maxOutputBytes: number('maxOutputBytes'),
    maxTimeout: number('maxTimeout'),
    maxWarm: number('maxWarm'),
    guestMemory: unlessAuto('guestMemory', memoryForGuests),
    guestProcessors: unlessAuto('guestProcessors', availableParallelism),
  };
}

/** What a node takes for itself: with a million executions waiting it has some 300 MB. */
const ownMemory = 512 * mebibyte;

/** The memory of the machine, or of the node's cgroup where that is less, without what the node takes itself. */
function memoryForGuests(): number {
  const constrained = process.constrainedMemory();
  const all = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(Math.floor(all / 2), all - ownMemory);
}
