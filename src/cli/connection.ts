/** How the command reaches a node: over its socket where it is this user's own, else over TCP with a token if there is one. */
import { readFile } from 'node:fs/promises';
import { type ClientTls, type Connection, connect } from '../client/channel.ts';
import { notesDir } from '../config.ts';
import { isLoopback, noteOf } from '../node-notes.ts';
import type { NodeAddress } from './node-address.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

export interface ConnectionOptions {
  readonly address: NodeAddress;
  readonly tokenFile?: string;
  readonly tenant?: string | undefined;
  /** Also where the address does not say so. */
  readonly tls?: boolean;
  /** Files, PEM. */
  readonly ca?: string;
  readonly clientCert?: string;
  readonly clientKey?: string;
}

export interface NodeConnection extends Connection {
  /** It goes over TCP, and in the clear. */
  readonly isPlain: boolean;
}

/** Rejects with UsageError for a token that cannot be read, is none, or would be sent in the clear. */
export async function connectionTo(
  options: ConnectionOptions,
  { env }: Pick<Shell, 'env'>,
): Promise<NodeConnection> {
  const { address, host, port } = options.address;
  const { tenant } = options;
  const isHere = isLoopback(host);
  const tls = await clientTls(options, env);
  const token = options.tokenFile === undefined ? env.SPEAR_TOKEN : await tokenIn(options.tokenFile);
  const secured = tls !== undefined && { tls };
  if (token === undefined || token === '') {
    const note = isHere && tls?.cert === undefined ? noteOf(notesDir(env), host, port) : undefined;
    if (note !== undefined) return { ...connect(`unix:${note.socket}`, { tenant }), isPlain: false };
    return { ...connect(address, { tenant, ...secured }), isPlain: tls === undefined };
  }
  const from = options.tokenFile === undefined ? 'SPEAR_TOKEN' : '--token-file';
  if (!/^[!-~]{1,8192}$/.test(token))
    throw new UsageError(`${from}: is no token; spear token create makes one`);
  if (tls === undefined && !isHere) {
    throw new UsageError(
      `${from}: a token goes beyond this machine only over TLS; allowed is --address https://${address}, or --tls`,
    );
  }
  if (tls === undefined && noteOf(notesDir(env), host, port)?.tls === true) {
    throw new UsageError(
      `${from}: the server at ${address} speaks TLS; allowed is --address https://${address}, or --tls`,
    );
  }
  return { ...connect(address, { token, tenant, ...secured }), isPlain: tls === undefined };
}

/** Undefined for a connection in the clear. */
async function clientTls(options: ConnectionOptions, env: Shell['env']): Promise<ClientTls | undefined> {
  const { ca, clientCert, clientKey } = options;
  if (options.tls !== true && !options.address.tls) {
    const [flag] = Object.entries({ '--ca': ca, '--client-cert': clientCert, '--client-key': clientKey })
      .filter(([, file]) => file !== undefined)
      .map(([name]) => name);
    if (flag === undefined) return undefined;
    throw new UsageError(`${flag}: is for TLS; allowed is with --address https://HOST:PORT, or --tls`);
  }
  const files = {
    ca: ca ?? env.SPEAR_CA ?? '',
    cert: clientCert ?? env.SPEAR_CLIENT_CERT ?? '',
    key: clientKey ?? env.SPEAR_CLIENT_KEY ?? '',
  };
  if ((files.cert === '') !== (files.key === '')) {
    const missing = files.cert === '' ? '--client-cert' : '--client-key';
    throw new UsageError(`${missing}: is missing; allowed are --client-cert and --client-key together`);
  }
  return {
    ...(files.ca !== '' && { ca: await pemIn(ca === undefined ? 'SPEAR_CA' : '--ca', files.ca) }),
    ...(files.cert !== '' && {
      cert: await pemIn('--client-cert', files.cert),
      key: await pemIn('--client-key', files.key),
    }),
  };
}

/** Said early: TLS would else fail without a word of the file. */
async function pemIn(flag: string, file: string): Promise<Buffer> {
  const bytes = await bytesIn(flag, file);
  if (!bytes.includes('-----BEGIN ')) throw new UsageError(`${flag}: ${file} is no PEM file`);
  return bytes;
}

async function tokenIn(file: string): Promise<string> {
  return (await bytesIn('--token-file', file)).toString().trim();
}

async function bytesIn(flag: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
