import { defaultGrpcAddress, notesDir, splitAddress } from '../config.ts';
import { invalidArgument, quote } from '../domain/errors.ts';
import { checkTenant } from '../domain/scope.ts';
import { BatchService } from '../server/gen/spearlet/batch_pb.js';
import { FunctionService } from '../server/gen/spearlet/function_pb.js';
import { RevisionService } from '../server/gen/spearlet/revision_pb.js';
import { ScheduleService } from '../server/gen/spearlet/schedule_pb.js';
import { TaskService } from '../server/gen/spearlet/task_pb.js';
import { mostKeyBytes, readSmallFile } from '../small-file.ts';
import { type ClientTls, type Connection, connect as openChannel } from './channel.ts';
import { errorFor } from './errors.ts';
import { NodeCalls } from './node-calls.ts';
import { isToken, routeTo } from './node-route.ts';
import { connectToAny } from './several.ts';
import { Spear } from './spear.ts';

/** PEM; absent are the files that SPEAR_CA, SPEAR_CLIENT_CERT and SPEAR_CLIENT_KEY name. */
export interface TlsOptions {
  /** Who may have signed the server's certificate; absent for those whom Node trusts. */
  readonly ca?: string | Uint8Array;
  /** A certificate of the caller's own and its key, both or none. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface ConnectOptions {
  /**
   * HOST:PORT, or https://HOST:PORT over TLS; of a cluster those of several nodes, in a list or separated by commas, of
   * which one that answers is used. Default: SPEAR_ADDRESS, else 127.0.0.1:50051.
   */
  readonly address?: string | readonly string[];
  /** Default: SPEAR_TOKEN. A node of this user on this machine needs none: it is reached over its socket. */
  readonly token?: string;
  /** Path of a file with the token. */
  readonly tokenFile?: string;
  /** Default: SPEAR_TENANT, else that of the token. */
  readonly tenant?: string;
  /** Reach it over TLS; also where the address says so. */
  readonly tls?: boolean | TlsOptions;
  /** How long a call is tried again while the node cannot be reached. Default 30 000. */
  readonly retryMs?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

const defaultRetryMs = 30_000;

/**
 * Connects to a node, or to one of a cluster's, with the defaults of the `spear` command. The connection is made with the first call. Throws a
 * SpearError that names the option where one is not allowed.
 */
export function connect(options: ConnectOptions = {}): Spear {
  try {
    return open(options, process.env);
  } catch (error) {
    throw errorFor(error);
  }
}

function open(options: ConnectOptions, env: Environment): Spear {
  const { retryMs = defaultRetryMs } = options;
  if (!(retryMs >= 0)) throw invalidArgument('retryMs', `is ${retryMs}; allowed are milliseconds from 0 on`);
  const named = addressesIn(options, env);
  const channels: Connection[] = [];
  for (const each of named) channels.push(channelTo(each, options, env));
  const channel = connectToAny(channels);
  const calls = new NodeCalls({
    address: named.map(({ address }) => address).join(', '),
    functions: channel.service(FunctionService),
    tasks: channel.service(TaskService),
    batches: channel.service(BatchService),
    schedules: channel.service(ScheduleService),
    revisions: channel.service(RevisionService),
    patienceMs: retryMs,
  });
  return new Spear(calls, () => channel.close());
}

interface NamedAddress {
  /** HOST:PORT. */
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly isHttps: boolean;
}

function channelTo(
  { address, host, port, isHttps }: NamedAddress,
  options: ConnectOptions,
  env: Environment,
): Connection {
  const { tls: wanted = isHttps } = options;
  if (wanted === false && isHttps) {
    throw invalidArgument('tls', 'is false beside an address of https://; allowed is one or the other');
  }
  const tls = wanted === false ? undefined : tlsWith(wanted === true ? {} : wanted, env);
  const token = tokenIn(options, env);
  const tenantText = options.tenant ?? env.SPEAR_TENANT ?? '';
  const tenant = tenantText === '' ? undefined : checkTenant('tenant', tenantText);
  const route = routeTo({
    host,
    port,
    hasToken: token !== undefined,
    tls: tls !== undefined,
    hasCertificate: tls?.cert !== undefined,
    notes: notesDir(env),
  });
  if (route.kind === 'tokenInTheClear') {
    const why = 'goes beyond this machine only over TLS';
    throw invalidArgument('token', `${why}; allowed is the address https://${address}, or tls`);
  }
  if (route.kind === 'tlsNeeded') {
    const why = `the server at ${address} speaks TLS`;
    throw invalidArgument('address', `${why}; allowed is https://${address}, or tls`);
  }
  if (route.kind === 'socket') return openChannel(`unix:${route.path}`, { tenant });
  return openChannel(address, {
    tenant,
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  });
}

function addressesIn(options: ConnectOptions, env: Environment): NamedAddress[] {
  const { address: given = env.SPEAR_ADDRESS || defaultGrpcAddress } = options;
  const texts = typeof given === 'string' ? given.split(',') : given;
  if (texts.length === 0) throw invalidArgument('address', 'is empty; allowed are 1 or more');
  return texts.map((each) => addressIn(each.trim()));
}

function addressIn(text: string): NamedAddress {
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(.*?)\/?$/s.exec(text) ?? [];
  if (scheme !== '' && scheme.toLowerCase() !== 'https') {
    throw invalidArgument(
      'address',
      `is ${quote(text)}; allowed is HOST:PORT, or https://HOST:PORT over TLS`,
    );
  }
  const address = scheme === '' ? text : rest;
  return { address, ...splitAddress('address', address), isHttps: scheme !== '' };
}

function tokenIn({ token, tokenFile }: ConnectOptions, env: Environment): string | undefined {
  if (token !== undefined && tokenFile !== undefined) {
    throw invalidArgument('tokenFile', 'stands beside token; allowed is one of them');
  }
  const text = tokenFile === undefined ? (token ?? env.SPEAR_TOKEN) : bytesOf('tokenFile', tokenFile);
  const trimmed = text?.toString().trim() ?? '';
  if (trimmed === '' && tokenFile === undefined) return undefined;
  if (isToken(trimmed)) return trimmed;
  throw invalidArgument(
    tokenFile === undefined ? 'token' : 'tokenFile',
    'is no token; spear token create makes one',
  );
}

function tlsWith({ ca, cert, key }: TlsOptions, env: Environment): ClientTls {
  const read = (name: string, given: string | Uint8Array | undefined, file = ''): Buffer | undefined => {
    if (given === undefined && file === '') return undefined;
    const bytes =
      given === undefined
        ? bytesOf(name, file)
        : Buffer.from(typeof given === 'string' ? new TextEncoder().encode(given) : given);
    if (bytes.includes('-----BEGIN ')) return bytes;
    throw invalidArgument(name, 'is no PEM; allowed is the content of a PEM file');
  };
  const own = read('tls.cert', cert, env.SPEAR_CLIENT_CERT);
  const secret = read('tls.key', key, env.SPEAR_CLIENT_KEY);
  const trusted = read('tls.ca', ca, env.SPEAR_CA);
  if ((own === undefined) !== (secret === undefined)) {
    const missing = own === undefined ? 'tls.cert' : 'tls.key';
    throw invalidArgument(missing, 'is missing; allowed are tls.cert and tls.key together');
  }
  return {
    ...(trusted !== undefined && { ca: trusted }),
    ...(own !== undefined && { cert: own }),
    ...(secret !== undefined && { key: secret }),
  };
}

function bytesOf(name: string, file: string): Buffer {
  try {
    return readSmallFile(file, mostKeyBytes);
  } catch (error) {
    throw invalidArgument(
      name,
      `cannot read ${quote(file)}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
