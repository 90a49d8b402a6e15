/** The options that bound what callers and tasks may take of a node; docs/limits.md lists them. */
import { availableParallelism, totalmem } from 'node:os';
import { decimal, whole } from './config-values.ts';
import { invalidArgument, RequestError } from './domain/errors.ts';
import { longestMs } from './domain/schema/values.ts';

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
const gibibyte = 1024 * mebibyte;
const minuteMs = 60_000;

/** `read` gives an option's text. Throws a RequestError that names the flag and what is allowed. */
export function resolveBounds(read: (key: keyof BoundsConfig) => string | undefined): BoundsConfig {
  const number = (key: keyof BoundsConfig, fallback: number, least: number, most: number): number =>
    whole(
      `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
      read(key),
      fallback,
      least,
      most,
    );
  const maxRequestBytes = number('maxRequestBytes', 8 * mebibyte, 1024, 128 * mebibyte);
  const maxConnections = number('maxConnections', 4096, 8, 1_000_000);
  const maxWatchers = number('maxWatchers', 1000, 1, 1_000_000);
  return {
    maxRequestBytes,
    requestBytesInFlight: number(
      'requestBytesInFlight',
      Math.max(4 * maxRequestBytes, 256 * mebibyte),
      mebibyte,
      64 * gibibyte,
    ),
    maxRequestValues: number('maxRequestValues', 50_000, 1000, 10_000_000),
    receiveIdleMs: number('receiveIdleMs', 10_000, 100, 60 * minuteMs),
    receiveTotalMs: number('receiveTotalMs', minuteMs, 100, 60 * minuteMs),
    sendBytesInFlight: number('sendBytesInFlight', 512 * mebibyte, mebibyte, 64 * gibibyte),
    sendIdleMs: number('sendIdleMs', 2 * minuteMs, 100, 24 * 60 * minuteMs),
    maxConnections,
    maxConnectionsPerAddress: number(
      'maxConnectionsPerAddress',
      Math.min(1024, maxConnections),
      1,
      1_000_000,
    ),
    maxStreamsPerConnection: number('maxStreamsPerConnection', 1000, 1, 1_000_000),
    idleConnectionMs: number('idleConnectionMs', 5 * minuteMs, 100, 24 * 60 * minuteMs),
    maxWatchers,
    maxWatchersPerConnection: number('maxWatchersPerConnection', Math.min(400, maxWatchers), 1, 1_000_000),
    maxWatchersPerPrincipal: number('maxWatchersPerPrincipal', Math.ceil(0.8 * maxWatchers), 1, 1_000_000),
    maxCallsPerPrincipal: number('maxCallsPerPrincipal', 20_000, 1, 10_000_000),
    maxCallsPerAddress: number('maxCallsPerAddress', 20_000, 1, 10_000_000),
    maxScratchBytes: number('maxScratchBytes', 512 * mebibyte, 16 * mebibyte, 2 ** 40),
    maxSnapshotBytes: number('maxSnapshotBytes', gibibyte, mebibyte, 1024 * gibibyte),
    maxRestores: number('maxRestores', 8, 1, 1000),
    maxMemory: number('maxMemory', totalmem(), mebibyte, 2 ** 40),
    maxCpu: decimal('--max-cpu', read('maxCpu'), availableParallelism(), 0.01, 1024),
    maxProcesses: number('maxProcesses', 32_768, 1, 1_000_000),
    maxOpenFiles: number('maxOpenFiles', 65_536, 16, 1_000_000),
    maxOutputBytes: number('maxOutputBytes', 4 * gibibyte, 0, 2 ** 40),
    maxTimeout: number('maxTimeout', longestMs, 1000, longestMs),
    maxWarm: number('maxWarm', 100, 0, 1000),
    guestMemory: unlessAuto('--guest-memory', read('guestMemory'), memoryForGuests, (flag, text) =>
      whole(flag, text, Number.POSITIVE_INFINITY, mebibyte, 2 ** 50),
    ),
    guestProcessors: unlessAuto(
      '--guest-processors',
      read('guestProcessors'),
      availableParallelism,
      (flag, text) => decimal(flag, text, Number.POSITIVE_INFINITY, 0.01, 10_000),
    ),
  };
}

function unlessAuto(
  flag: string,
  text: string | undefined,
  auto: () => number,
  given: (flag: string, text: string | undefined) => number,
): number {
  if (text === 'auto') return auto();
  try {
    return given(flag, text);
  } catch (error) {
    const [violation] = error instanceof RequestError ? error.violations : [];
    throw violation === undefined ? error : invalidArgument(flag, `${violation.description}, or "auto"`);
  }
}

/** What a node takes for itself: with a million executions waiting it has some 300 MB. */
const ownMemory = 512 * mebibyte;

/** The memory of the machine, or of the node's cgroup where that is less, without what the node takes itself. */
function memoryForGuests(): number {
  const constrained = process.constrainedMemory();
  const all = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return Math.max(Math.floor(all / 2), all - ownMemory);
}
