/** Where a node listens, what it keeps, what it runs at once, and what tasks may have of its host. */
import type { Role } from '../domain/access.ts';
import { logFormats, logLevels } from '../domain/log-settings.ts';
import { priorities } from '../domain/scheduling/priority.ts';
import { longestMs } from '../domain/schema/values.ts';
import { restoreAllowances } from '../domain/snapshot/port.ts';
import type { Option } from './option.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const hourMs = 3_600_000;

/** Where gRPC listens, and clients look for it, where nothing else is said. */
export const defaultGrpcAddress = '127.0.0.1:50051';

/** What a priority weighs at most. */
export const mostWeight = 10_000;

/** `auto` is pretty on a terminal. */
export const logFormatWords = ['auto', ...logFormats] as const;
export const anonymousRoles = [
  'none',
  'observe',
  'invoke',
  'develop',
  'operate',
] as const satisfies readonly (Exclude<Role, 'admin'> | 'none')[];

const address = { kind: 'text', placeholder: 'host:port' } as const;
const truth = { kind: 'truth' } as const;

export const nodeOptions = {
  grpcAddress: { value: address, about: 'where gRPC listens', default: defaultGrpcAddress },
  httpAddress: { value: address, about: 'where HTTP listens', default: '127.0.0.1:8080' },
  dataDir: {
    value: { kind: 'text', placeholder: 'dir', path: true },
    about: 'the data folder',
    defaultWords: 'spear in the data folder of the user',
  },
  store: {
    value: { kind: 'text', placeholder: 'sqlite|url' },
    about:
      'where executions are kept: in the data folder, or postgres://USER@HOST[:PORT][,HOST…]/DATABASE (docs/cluster.md)',
    default: 'sqlite',
  },
  storePasswordFile: {
    value: { kind: 'text', placeholder: 'file', path: true },
    about: 'its password is in this file (or PGPASSWORD has it)',
  },
  nodeName: {
    value: { kind: 'text', placeholder: 'name' },
    about: 'what this node is called among those that use the same store (docs/cluster.md)',
    defaultWords: 'its id',
  },
  labels: {
    value: { kind: 'list', placeholder: 'key=value,…', separator: ',', several: true },
    about: 'labels of this node, which tasks may want with runs_on',
  },
  slots: {
    value: { kind: 'whole', placeholder: 'n', least: 1, most: 10_000 },
    about: 'executions that run at once',
    defaultWords: '2 x cores',
  },
  queueLimit: {
    value: { kind: 'whole', placeholder: 'n', least: 0, most: 10_000_000 },
    about: 'executions that may be pending',
    default: 1_000_000,
  },
  queueTargetMs: {
    value: { kind: 'whole', placeholder: 'ms', least: 0, most: hourMs },
    about: 'where everybody waits for longer, refuse what is of normal and low priority',
    default: 0,
    defaultWords: '0: never',
  },
  queueIntervalMs: {
    value: { kind: 'whole', placeholder: 'ms', least: 100, most: hourMs },
    about: 'for how long everybody has to wait for longer',
    default: 5000,
  },
  priorityWeights: {
    value: { kind: 'numbers', placeholder: 'list', names: priorities, least: 1, most: mostWeight },
    about: 'what each priority has of the slots against the others of its tenant',
    defaultWords: 'low=1,normal=4,high=16,urgent=64',
  },
  queueInMemory: {
    value: { kind: 'whole', placeholder: 'n', least: 1, most: 100_000 },
    about: 'of those that wait, how many stay in memory; the others wait on disk',
    default: 1024,
  },
  cacheBytes: {
    value: { kind: 'size', placeholder: 'size', least: 0, most: 64 * gibibyte },
    about: 'memory for results that are kept for equal calls; 0: none are kept',
    default: 64 * mebibyte,
    defaultWords: '64MiB',
  },
  cacheBytesPerTenant: {
    value: { kind: 'size', placeholder: 'size', least: 0, most: 64 * gibibyte },
    about: 'of it, the most for one tenant',
    defaultWords: 'a quarter of --cache-bytes',
  },
  drainMs: {
    value: { kind: 'whole', placeholder: 'ms', least: 0, most: hourMs },
    about: 'how long a drain waits for what runs',
    default: 10_000,
  },
  logLevel: {
    value: { kind: 'word', placeholder: 'level', words: logLevels },
    about: 'from which level on lines are logged',
    default: 'info',
    defaultWords: 'info; warn on a terminal',
    live: true,
  },
  logFormat: {
    value: { kind: 'word', placeholder: 'format', words: logFormatWords },
    about: 'how lines are logged; auto is pretty on a terminal, and else json',
    default: 'auto',
    live: true,
  },
  slowCallMs: {
    value: { kind: 'whole', placeholder: 'ms', least: 0, most: hourMs },
    about: 'log calls that take longer, but for those that wait for executions; 0: none',
    default: 1000,
  },
  allowHostAccess: {
    value: truth,
    about:
      'let tasks have folders of the host and be processes although this runs as root, or cannot hide its own files from them',
  },
  unsafePreopens: {
    value: truth,
    about: 'let wasm tasks have folders of the host although there is no /proc here',
  },
  allowPrivateWebhookHosts: {
    value: truth,
    about: 'also tell webhooks on hosts that are not public, and over http://',
  },
  secretsDir: {
    value: { kind: 'text', placeholder: 'dir', path: true },
    about: 'where secrets of tasks are: a folder for each tenant, a file for each key',
  },
  allowGuestLoopback: {
    value: truth,
    about: 'let wasm tasks with a network reach loopback; this server stays out of their reach',
  },
  anonymousRole: {
    value: { kind: 'word', placeholder: 'role', words: anonymousRoles },
    about: 'what callers without a token may do',
    default: 'none',
  },
  dockerHost: {
    value: { kind: 'text', placeholder: 'url' },
    about: 'the Docker engine: unix:///PATH or tcp://HOST:PORT',
    default: 'unix:///var/run/docker.sock',
    lastVariable: 'DOCKER_HOST',
  },
  imageRegistry: {
    value: { kind: 'list', placeholder: 'host[:port]', separator: ',', several: true },
    about: 'a registry that whoever registers may name, beside Docker Hub',
  },
  allowPrivateArtifactHosts: {
    value: truth,
    about: 'fetch artifacts from hosts that are not public, too',
  },
  maxArtifactBytes: {
    value: { kind: 'size', placeholder: 'size', least: 1024, most: gibibyte },
    about: 'the largest wasm artifact, up to 1GiB',
    default: 128 * mebibyte,
  },
  retainFor: {
    value: { kind: 'duration', placeholder: 'duration', least: 1000, most: longestMs },
    about: 'how long finished executions are kept',
    default: 24 * hourMs,
  },
  retainBytes: {
    value: { kind: 'size', placeholder: 'size', least: mebibyte, most: Number.MAX_SAFE_INTEGER },
    about: 'what the store may use before finished executions go earlier',
    default: 1e9,
  },
  signingKey: {
    value: { kind: 'text', placeholder: 'file', path: true },
    about: 'sign snapshots with this Ed25519 private key (PEM)',
  },
  trustedKey: {
    value: { kind: 'list', placeholder: 'file', separator: ':', several: true, path: true },
    about: 'restore only snapshots that this Ed25519 public key (PEM) has signed',
  },
  restoreAllow: {
    value: { kind: 'list', placeholder: 'list', separator: ',', words: restoreAllowances },
    about: `what tasks that come with a snapshot may want: ${restoreAllowances.join(', ')}`,
    defaultWords: 'none',
  },
} as const satisfies Record<string, Option>;
