/** The node's options, resolved once: flag, then environment, then file, then default. The only reader of the environment. */
import { createHash } from 'node:crypto';
import { availableParallelism, homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { anonymousRoles, defaultGrpcAddress, logFormatWords, nodeOptions } from './config/node-options.ts';
import type { OptionName } from './config/options.ts';
import { type ConfigFile, type ConfigFlags, type Environment, OptionSources } from './config/sources.ts';
import { type BoundsConfig, resolveBounds } from './config-bounds.ts';
import { type ClusterConfig, resolveCluster } from './config-cluster.ts';
import { assertTokensNeeded, type EdgeConfig, hasTls, resolveEdge } from './config-edge.ts';
import { resolveEngine, resolveNodeName } from './config-store.ts';
import { resolveTraces, type TracesConfig } from './config-traces.ts';
import { nodeLabels, numberOf, oneOf, registries, truth, weights } from './config-values.ts';
import { type EngineAddress, shownAddress } from './domain/engine-address.ts';
import { invalidArgument, quote } from './domain/errors.ts';
import type { Labels } from './domain/labels.ts';
import { type LogLevel, logLevels } from './domain/log-settings.ts';
import type { PriorityWeights } from './domain/scheduling/priority.ts';
import { type RestoreAllowance, restoreAllowances } from './domain/snapshot/port.ts';

export interface NodeConfig extends BoundsConfig, ClusterConfig, EdgeConfig, TracesConfig {
  /** HOST:PORT; port 0 takes a free one. */
  readonly grpcAddress: string;
  readonly httpAddress: string;
  /** Absolute. */
  readonly dataDir: string;
  /** Where executions are kept, in words for people: `sqlite`, or a URL without its password. */
  readonly store: string;
  /** Empty for none. */
  readonly storePasswordFile: string;
  /** The PostgreSQL that has the executions; undefined where the data folder has them. */
  readonly engine?: EngineAddress;
  /** For how long a container of a node that is gone is left to the next start of that node, in milliseconds. */
  readonly reattachWithin: number;
  /** How long what runs may stand still without the store before it is ended, in milliseconds. */
  readonly partitionGrace: number;
  /** What it is called among those that use the same store; empty for its id. */
  readonly nodeName: string;
  /** Where the administrator reaches the node; empty where no path is short enough for a socket. */
  readonly socketPath: string;
  /** Folder of the notes that tell the command where nodes are. */
  readonly notesDir: string;
  /** What tasks may want of a node with `runs_on`. */
  readonly labels: Labels;
  /** Attempts that run at once. */
  readonly slots: number;
  /** Executions that may be pending. */
  readonly queueLimit: number;
  /** Of slots, of each priority against the others of its tenant. */
  readonly priorityWeights: PriorityWeights;
  /** Of those that wait, how many stay live; the others are rows of the store. */
  readonly queueInMemory: number;
  /** Memory for results that are kept for equal calls, and the most of it for one tenant, in bytes. */
  readonly cacheBytes: number;
  readonly cacheBytesPerTenant: number;
  /** Where everybody waits for longer, what is of normal and low priority is refused; 0 means never. */
  readonly queueTargetMs: number;
  /** For so long everybody has to wait for longer. */
  readonly queueIntervalMs: number;
  /** The total timeout of a task that names none, in milliseconds. */
  readonly defaultTotalMs: number;
  /** How long a drain waits for what runs, in milliseconds. */
  readonly drainMs: number;
  readonly logLevel: LogLevel;
  readonly logFormat: (typeof logFormatWords)[number];
  /** Calls that take longer are logged, in milliseconds; 0 for none. */
  readonly slowCallMs: number;
  /** Tasks may see host folders and be processes although the node runs as root. */
  readonly allowHostAccess: boolean;
  /** Wasm tasks may have preopens although there is no /proc, by which guests are kept inside them. */
  readonly unsafePreopens: boolean;
  /** Wasm tasks with a network may reach loopback, but never the node itself. */
  readonly allowGuestLoopback: boolean;
  /** What callers without a token may do over TCP; never `admin`: a function could be the one that calls. */
  readonly anonymousRole: (typeof anonymousRoles)[number];
  /** Where the Docker engine listens: `unix:///PATH` or `tcp://HOST:PORT`. */
  readonly dockerHost: string;
  /** HOST[:PORT] of registries that the engine is sent to for anybody who registers, beside Docker Hub. */
  readonly imageRegistry: readonly string[];
  /** Webhooks may be on hosts that are not public, and over HTTP without TLS. */
  readonly allowPrivateWebhookHosts: boolean;
  /** Artifacts may be fetched from hosts that are not public. */
  readonly allowPrivateArtifactHosts: boolean;
  /** Of one wasm artifact. */
  readonly maxArtifactBytes: number;
  /** How long a finished execution is kept, in milliseconds. */
  readonly retainFor: number;
  /** Bytes of the store beyond which the oldest finished executions go before that. */
  readonly retainBytes: number;
  /** Has a folder for each tenant with a file for each secret; empty for none. */
  readonly secretsDir: string;
  /** File of the private key that signs snapshots; empty for none. */
  readonly signingKey: string;
  /** Files of the public keys whose snapshots are restored; empty means everybody's. */
  readonly trustedKey: readonly string[];
  /** What a task that comes with a snapshot may want. */
  readonly restoreAllow: readonly RestoreAllowance[];
}

export type { ConfigFlags, Environment };
export { defaultGrpcAddress };

/** Of this process. */
export const ownEnvironment: Environment = process.env;

/**
 * `file` is the configuration file that was read for them, if any. Throws a RequestError that names the flag, the
 * variable or the line that stood for it, and what is allowed.
 */
export function resolveConfig(
  flags: ConfigFlags,
  env: Environment = ownEnvironment,
  file?: ConfigFile,
): NodeConfig {
  const sources = new OptionSources(flags, env, file);
  try {
    return resolveFrom((name) => sources.text(name), env);
  } catch (error) {
    throw sources.placed(error);
  }
}

/** What to tell of each option that is given and does nothing. */
export function retiredOptions(
  flags: ConfigFlags,
  env: Environment = ownEnvironment,
  file?: ConfigFile,
): string[] {
  return new OptionSources(flags, env, file).retired();
}

function resolveFrom(read: (key: OptionName) => string | undefined, env: Environment): NodeConfig {
  const edge = resolveEdge(read);
  const anonymousRole = oneOf(
    '--anonymous-role',
    read('anonymousRole') ?? nodeOptions.anonymousRole.default,
    anonymousRoles,
  );
  assertTokensNeeded(edge, anonymousRole);
  const dataDir = resolveDataDir(read('dataDir'), env);
  const bounds = resolveBounds(read);
  const engine = resolveEngine(read, env);
  const number = (name: OptionName, fallback?: number): number => numberOf(name, read(name), fallback);
  return Object.freeze({
    grpcAddress: address('--grpc-address', read('grpcAddress') ?? nodeOptions.grpcAddress.default, edge),
    httpAddress: address('--http-address', read('httpAddress') ?? nodeOptions.httpAddress.default, edge),
    dataDir,
    store: engine === undefined ? nodeOptions.store.default : shownAddress(engine),
    storePasswordFile: read('storePasswordFile') ?? '',
    ...(engine !== undefined && { engine }),
    reattachWithin: number('reattachWithin'),
    partitionGrace: number('partitionGrace'),
    nodeName: resolveNodeName(read('nodeName') ?? ''),
    ...resolveCluster(read, splitAddress, engine !== undefined),
    socketPath: socketPath(dataDir, env),
    notesDir: notesDir(env),
    labels: nodeLabels('--labels', read('labels') ?? ''),
    slots: number('slots', 2 * availableParallelism()),
    queueLimit: number('queueLimit'),
    queueTargetMs: number('queueTargetMs'),
    queueIntervalMs: number('queueIntervalMs'),
    queueInMemory: number('queueInMemory'),
    cacheBytes: number('cacheBytes'),
    cacheBytesPerTenant: number('cacheBytesPerTenant', Math.ceil(number('cacheBytes') / 4)),
    priorityWeights: weights('--priority-weights', read('priorityWeights')),
    ...bounds,
    defaultTotalMs: Math.min(5 * 60 * 1000, bounds.maxTimeout),
    drainMs: number('drainMs'),
    logLevel: oneOf('--log-level', read('logLevel') ?? nodeOptions.logLevel.default, logLevels),
    logFormat: oneOf('--log-format', read('logFormat') ?? nodeOptions.logFormat.default, logFormatWords),
    slowCallMs: number('slowCallMs'),
    ...edge,
    ...resolveTraces(read, env),
    allowHostAccess: truth('--allow-host-access', read('allowHostAccess')),
    unsafePreopens: truth('--unsafe-preopens', read('unsafePreopens')),
    allowGuestLoopback: truth('--allow-guest-loopback', read('allowGuestLoopback')),
    anonymousRole,
    dockerHost: dockerEngine('--docker-host', read('dockerHost') ?? nodeOptions.dockerHost.default),
    imageRegistry: registries('--image-registry', read('imageRegistry') ?? ''),
    allowPrivateWebhookHosts: truth('--allow-private-webhook-hosts', read('allowPrivateWebhookHosts')),
    allowPrivateArtifactHosts: truth('--allow-private-artifact-hosts', read('allowPrivateArtifactHosts')),
    maxArtifactBytes: number('maxArtifactBytes'),
    retainFor: number('retainFor'),
    retainBytes: number('retainBytes'),
    secretsDir: folderOrNone(read('secretsDir')),
    signingKey: read('signingKey') ?? '',
    trustedKey: (read('trustedKey') ?? '').split(':').filter((path) => path !== ''),
    restoreAllow: allowances('--restore-allow', read('restoreAllow') ?? ''),
  });
}

function folderOrNone(value: string | undefined): string {
  return value === undefined || value === '' ? '' : resolve(value);
}

/** Who started the node and wants to hear how far it is: sd_notify(3), sd_watchdog_enabled(3). */
export interface ServiceManager {
  /** A path, or a name that begins with `@`. */
  readonly socket: string;
  /** How long it waits for a sign of life, in milliseconds; 0 where it waits for none. */
  readonly watchdogMs: number;
}

export function serviceManager(env: Environment = process.env): ServiceManager | undefined {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog = '', WATCHDOG_PID: pid = '' } = env;
  if (socket === '') return undefined;
  const isOurs = pid === '' || pid === String(process.pid);
  const watchdogMs = Number(watchdog) / 1000;
  return { socket, watchdogMs: isOurs && watchdogMs > 0 && watchdogMs <= 2 ** 31 ? watchdogMs : 0 };
}

/** A variable of the node's environment that holds a secret; others are not read this way. */
export function secretVariable(name: string, env: Environment = ownEnvironment): string | undefined {
  return name.startsWith('SPEAR_SECRET_') ? env[name] : undefined;
}

/** The absolute path of the data folder; one of the user's where nothing is said. */
export function resolveDataDir(value: string | undefined, env: Environment): string {
  return resolve(value ?? join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'spear'));
}

/** What the kernel takes for the path of a socket, in bytes: `sun_path` of unix(7), and the NUL at its end. */
const mostSocketPath = 107;

function socketPath(dataDir: string, env: Environment): string {
  const inData = join(dataDir, 'run', 'node.sock');
  if (Buffer.byteLength(inData) <= mostSocketPath) return inData;
  if (env.XDG_RUNTIME_DIR === undefined || env.XDG_RUNTIME_DIR === '') return '';
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const inRuntime = join(env.XDG_RUNTIME_DIR, `spear-${name}`, 'node.sock');
  return Buffer.byteLength(inRuntime) <= mostSocketPath ? inRuntime : '';
}

/** Where the nodes of this user are noted. */
export function notesDir(env: Environment): string {
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'spear', 'nodes');
}

/** Splits HOST:PORT; an IPv6 host stands in brackets. */
export function splitAddress(flag: string, value: string): { readonly host: string; readonly port: number } {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:[\]]+):(\d{1,5})$/.exec(value);
  const port = Number(match?.[2]);
  const host = match?.[1];
  if (host === undefined || port > 65_535) {
    throw invalidArgument(flag, `is ${quote(value)}; allowed is HOST:PORT, such as 127.0.0.1:50051`);
  }
  return { host: host.replace(/^\[|\]$/g, ''), port };
}

/** The page at an HTTP address, as a browser goes to it, with a code that opens it once. */
export function pageLink(httpAddress: string, code: string, tls: boolean): string {
  return `${pageOrigin(httpAddress, tls)}/#code=${code}`;
}

/** Where a browser on this machine finds the page, such as `http://127.0.0.1:8080`. */
export function pageOrigin(httpAddress: string, tls: boolean): string {
  const { host, port } = splitAddress('--http-address', httpAddress);
  // An address that stands for all of the machine's is none that a browser could go to.
  const open = host === '0.0.0.0' || host === '::' ? `127.0.0.1:${port}` : httpAddress;
  return `${tls ? 'https' : 'http'}://${open}`;
}

/** Ports that only the node's callers and the node itself may use; without those that are chosen later. */
export function configuredPorts({ grpcAddress, httpAddress, dockerHost }: NodeConfig): number[] {
  const docker = /^tcp:.*:(\d+)$/.exec(dockerHost)?.[1];
  const listening = [
    splitAddress('--grpc-address', grpcAddress),
    splitAddress('--http-address', httpAddress),
  ];
  return [...listening.map(({ port }) => port), Number(docker ?? 0)].filter((port) => port !== 0);
}

function dockerEngine(flag: string, value: string): string {
  if (!/^(unix:\/\/\/[^\0]+|tcp:\/\/[^/:]+:\d{1,5})$/.test(value)) {
    throw invalidArgument(flag, `is ${quote(value)}; allowed are unix:///PATH and tcp://HOST:PORT`);
  }
  return value;
}

function address(flag: string, value: string, edge: EdgeConfig): string {
  const { host } = splitAddress(flag, value);
  const loopback = host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
  if (!loopback && !edge.insecureListen && !hasTls(edge)) {
    throw invalidArgument(
      flag,
      `is ${quote(value)}, which other machines may reach, and there is no TLS: tokens would go in the clear; allowed is a loopback address, or add --tls-cert and --tls-key (--tls-self-signed for trying), or --insecure-listen behind a proxy that has TLS`,
    );
  }
  return value;
}

function allowances(flag: string, value: string): readonly RestoreAllowance[] {
  const words = value.split(',').filter((word) => word !== '');
  return words.map((word) => {
    const known = restoreAllowances.find((each) => each === word);
    if (known === undefined) {
      throw invalidArgument(flag, `has ${quote(word)}; allowed are ${restoreAllowances.join(', ')}`);
    }
    return known;
  });
}
