/** How the command reaches a node: over its socket where it is this user's own, else over TCP with a token if there is one. */
import { readFile } from 'node:fs/promises';
import { notesDir, splitAddress } from '../config.ts';
import { isLoopback, socketOf } from '../node-notes.ts';
import { type Connection, connect } from './client.ts';
import type { Shell } from './shell.ts';
import { UsageError } from './usage-error.ts';

/** Rejects with UsageError for a token that cannot be read, is none, or would be sent in the clear. */
export async function connectionTo(
  address: string,
  tokenFile: string | undefined,
  tenant: string | undefined,
  { env }: Pick<Shell, 'env'>,
): Promise<Connection> {
  const { host, port } = splitAddress('--address', address);
  const isHere = isLoopback(host);
  const token = tokenFile === undefined ? env.SPEAR_TOKEN : await tokenIn(tokenFile);
  if (token === undefined || token === '') {
    const socket = isHere ? socketOf(notesDir(env), host, port) : undefined;
    return connect(socket === undefined ? address : `unix:${socket}`, { tenant });
  }
  const from = tokenFile === undefined ? 'SPEAR_TOKEN' : '--token-file';
  if (!/^[!-~]{1,512}$/.test(token))
    throw new UsageError(`${from}: is no token; spear token create makes one`);
  if (!isHere) {
    throw new UsageError(
      `${from}: a token goes beyond this machine only over TLS, which this version has not`,
    );
  }
  return connect(address, { token, tenant });
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new UsageError(`--token-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}
