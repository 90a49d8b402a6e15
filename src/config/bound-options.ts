/** What docs/limits.md explains. */
import { longestDays, longestMs } from '../domain/schema/values.ts';
import type { Option } from './option.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;
const tebibyte = 1024 * gibibyte;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

type Bounds = readonly [least: number, most: number];

const count = ([least, most]: Bounds): Option['value'] => ({ kind: 'whole', placeholder: 'n', least, most });
const ms = ([least, most]: Bounds): Option['value'] => ({ kind: 'whole', placeholder: 'ms', least, most });
const size = ([least, most]: Bounds): Option['value'] => ({ kind: 'size', placeholder: 'size', least, most });

export const boundOptions = {
  maxRequestBytes: {
    value: size([kibibyte, 128 * mebibyte]),
    about: 'the largest request, up to 128MiB',
    default: 8 * mebibyte,
  },
  requestBytesInFlight: {
    value: size([mebibyte, 64 * gibibyte]),
    about: 'bytes of all requests under way',
    defaultWords: '256MiB, at least four requests',
  },
  maxRequestValues: {
    value: count([1000, 10_000_000]),
    about: 'values, keys and elements of one request',
    default: 50_000,
  },
  receiveIdleMs: {
    value: ms([100, 60 * minuteMs]),
    about: 'how long a request may bring no byte',
    default: 10_000,
  },
  receiveTotalMs: {
    value: ms([100, 60 * minuteMs]),
    about: 'how long a request may take to arrive',
    default: minuteMs,
  },
  sendBytesInFlight: {
    value: size([mebibyte, 64 * gibibyte]),
    about: 'bytes that wait for all readers together',
    default: 512 * mebibyte,
  },
  sendIdleMs: {
    value: ms([100, dayMs]),
    about: 'how long a caller may take nothing of its answer',
    default: 2 * minuteMs,
  },
  maxConnections: { value: count([8, 1_000_000]), about: 'connections of all callers', default: 4096 },
  maxConnectionsPerAddress: {
    value: count([1, 1_000_000]),
    about: 'connections of one address',
    defaultWords: '1024, at most all',
  },
  maxStreamsPerConnection: {
    value: count([1, 1_000_000]),
    about: 'calls at once on one gRPC connection',
    default: 1000,
  },
  idleConnectionMs: {
    value: ms([100, dayMs]),
    about: 'how long a gRPC connection without a call stays open',
    default: 5 * minuteMs,
  },
  maxWatchers: { value: count([1, 1_000_000]), about: 'streams that follow something', default: 1000 },
  maxWatchersPerConnection: {
    value: count([1, 1_000_000]),
    about: 'those of one connection',
    defaultWords: '400, at most all',
  },
  maxWatchersPerPrincipal: {
    value: count([1, 1_000_000]),
    about: 'those of one principal',
    defaultWords: '0.8 of all',
  },
  maxCallsPerPrincipal: {
    value: count([1, 10_000_000]),
    about: 'calls under way of one principal',
    default: 20_000,
  },
  maxCallsPerAddress: {
    value: count([1, 10_000_000]),
    about: 'calls under way of one address',
    default: 20_000,
  },
  maxScratchBytes: {
    value: size([16 * mebibyte, tebibyte]),
    about: 'what an execution may write to the disk',
    default: 512 * mebibyte,
  },
  maxSnapshotBytes: {
    value: size([mebibyte, tebibyte]),
    about: 'the largest snapshot that is restored',
    default: gibibyte,
  },
  maxRestores: { value: count([1, 1000]), about: 'snapshots that are restored at once', default: 8 },
  maxMemory: {
    value: size([mebibyte, tebibyte]),
    about: 'the most memory that a task may ask for',
    defaultWords: 'all there is',
  },
  maxCpu: {
    value: { kind: 'decimal', placeholder: 'cores', least: 0.01, most: 1024 },
    about: 'the most cores that a task may ask for',
    defaultWords: 'all there are',
  },
  maxProcesses: {
    value: count([1, 1_000_000]),
    about: 'the most processes that a task may ask for',
    default: 32_768,
  },
  maxOpenFiles: {
    value: count([16, 1_000_000]),
    about: 'the most open files that a task may ask for',
    default: 65_536,
  },
  maxOutputBytes: {
    value: size([0, tebibyte]),
    about: 'the most output that a task may ask for',
    default: 4 * gibibyte,
  },
  maxTimeout: {
    value: { kind: 'duration', placeholder: 'duration', least: 1000, most: longestMs },
    about: 'the longest timeout that a task may ask for',
    default: longestMs,
    defaultWords: `${longestDays}d`,
  },
  maxWarm: {
    value: count([0, 1000]),
    about: 'the most instances that a task may keep ready',
    default: 100,
  },
  guestMemory: {
    value: { kind: 'size', placeholder: 'size', least: mebibyte, most: 1024 * tebibyte, auto: true },
    about:
      'the sum of the memory limits of what runs at once; "auto" is that of the machine or its cgroup, less what the node needs',
    defaultWords: 'not counted',
  },
  guestProcessors: {
    value: { kind: 'decimal', placeholder: 'cores', least: 0.01, most: 10_000, auto: true },
    about: 'the sum of the processor limits of what runs at once; "auto" is all there are',
    defaultWords: 'not counted',
  },
} as const satisfies Record<string, Option>;
