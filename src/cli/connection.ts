/** How the command reaches a node: over its socket where it is this user's own, else over TCP with a token if there is one. */
import { type ClientTls, type Connection, connect } from '../client/channel.ts';
import { isToken, routeTo } from '../client/node-route.ts';
import { connectToAny } from '../client/several.ts';
import { notesDir } from '../config.ts';
import { quote } from '../domain/errors.ts';
import { mostKeyBytes, readSmallFile } from '../small-file.ts';
import type { NodeAddress } from './node-address.ts';
import { readFault } from './read-fault.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

export interface ConnectionOptions {
  /** Of nodes of one cluster. */
  readonly addresses: readonly NodeAddress[];
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
  /** It goes over TCP, and in the clear, to one of them at least. */
  readonly isPlain: boolean;
}

/** Rejects with UsageError for a token that cannot be read, is none, or would be sent in the clear. */
export async function connectionTo(
  options: ConnectionOptions,
  shell: Pick<Shell, 'env'>,
): Promise<NodeConnection> {
  const connections: NodeConnection[] = [];
  for (const address of options.addresses) connections.push(await connectionToNode(address, options, shell));
  return { ...connectToAny(connections), isPlain: connections.some(({ isPlain }) => isPlain) };
}

async function connectionToNode(
  named: NodeAddress,
  options: ConnectionOptions,
  { env }: Pick<Shell, 'env'>,
): Promise<NodeConnection> {
  const { address, host, port } = named;
  const { tenant } = options;
  const tls = await clientTls(named, options, env);
  const token = options.tokenFile === undefined ? env.SPEAR_TOKEN : await tokenIn(options.tokenFile);
  const hasToken = token !== undefined && token !== '';
  const from = options.tokenFile === undefined ? 'SPEAR_TOKEN' : '--token-file';
  if (hasToken && !isToken(token)) {
    throw new UsageError(`${from}: is no token; spear token create makes one`);
  }
  const hasCertificate = tls?.cert !== undefined;
  const notes = notesDir(env);
  const route = routeTo({ host, port, hasToken, tls: tls !== undefined, hasCertificate, notes });
  switch (route.kind) {
    case 'socket':
      return { ...connect(`unix:${route.path}`, { tenant }), isPlain: false };
    case 'tcp': {
      const options = { tenant, ...(hasToken && { token }), ...(tls !== undefined && { tls }) };
      return { ...connect(address, options), isPlain: tls === undefined };
    }
    case 'tokenInTheClear':
      throw new UsageError(
        `${from}: a token goes beyond this machine only over TLS; allowed is --address https://${address}, or --tls`,
      );
    case 'tlsNeeded':
      throw new UsageError(
        `${from}: the server at ${address} speaks TLS; allowed is --address https://${address}, or --tls`,
      );
  }
}

/** Undefined for a connection in the clear. */
async function clientTls(
  named: NodeAddress,
  options: ConnectionOptions,
  env: Shell['env'],
): Promise<ClientTls | undefined> {
  const { ca, clientCert, clientKey } = options;
  if (options.tls !== true && !named.tls) {
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
function pemIn(flag: string, file: string): Buffer {
  const bytes = bytesIn(flag, file);
  if (!bytes.includes('-----BEGIN ')) throw new UsageError(`${flag}: ${file} is no PEM file`);
  return bytes;
}

function tokenIn(file: string): string {
  return bytesIn('--token-file', file).toString().trim();
}

function bytesIn(flag: string, file: string): Buffer {
  try {
    return readSmallFile(file, mostKeyBytes);
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${quote(file)}: ${readFault(error)}`);
  }
}
