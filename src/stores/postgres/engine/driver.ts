/** The driver, `pg`: an optional package, which only a node with such a store loads. */
import { readFileSync } from 'node:fs';
import type { Client, ClientConfig } from 'pg';
import type { EngineAddress, EngineHost } from '../../../domain/engine-address.ts';
import { StoreError } from '../../store.ts';

export type { Client };

export interface Driver {
  /** A client that is not connected yet. */
  client(config: ClientConfig): Client;
}

/** Rejects with StoreError where the package is not there. */
export async function loadDriver(): Promise<Driver> {
  try {
    const { default: pg } = await import('pg');
    return { client: (config) => new pg.Client(config) };
  } catch (cause) {
    throw new StoreError(
      'a store in PostgreSQL needs the package pg, which is not there: npm install pg@8, beside spear',
      { cause },
    );
  }
}

/**
 * The session's own settings go with the connection, so that there is none without them.
 * - Plans are made once, often on empty tables, and kept: joins by hash or merge, and scans of whole tables, would stay.
 * - A client that stops within a transaction must not hold its locks.
 */
const settings = {
  search_path: 'spear',
  jit: 'off',
  idle_in_transaction_session_timeout: '1s',
  default_transaction_isolation: 'read\\ committed',
};

/** For sessions that write: their statements are few, and all of them go by an index. */
const writerSettings = {
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_seqscan: 'off',
  plan_cache_mode: 'force_generic_plan',
};

export type SessionKind = 'reader' | 'writer';

export interface ConnectionOptions {
  readonly kind: SessionKind;
  /** After which the engine ends a statement, in milliseconds. */
  readonly statementMs: number;
  /** How long a connection may take to be made, in milliseconds. */
  readonly connectMs: number;
  readonly ssl: boolean;
}

export function clientConfig(
  address: EngineAddress,
  { host, port }: EngineHost,
  { kind, statementMs, connectMs, ssl }: ConnectionOptions,
): ClientConfig {
  const all = { ...settings, ...(kind === 'writer' && writerSettings), statement_timeout: `${statementMs}` };
  return {
    host,
    port,
    user: address.user,
    ...(address.password !== '' && { password: address.password }),
    database: address.database,
    application_name: 'spear',
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    options: Object.entries(all)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
    ssl: ssl ? tls(address, host) : false,
    types: { getTypeParser: getTypeParser as never },
  };
}

/** In the order in which they are tried. */
export function tlsTries({ sslMode }: EngineAddress, { host }: EngineHost): readonly boolean[] {
  if (sslMode === 'disable' || host.startsWith('/')) return [false];
  return sslMode === 'prefer' ? [true, false] : [true];
}

function tls({ sslMode, sslRootCert }: EngineAddress, host: string): NonNullable<ClientConfig['ssl']> {
  return {
    rejectUnauthorized: sslMode === 'verify-full',
    ...(sslMode === 'verify-full' && { servername: host }),
    ...(sslRootCert !== '' && { ca: readFileSync(sslRootCert, 'utf8') }),
  };
}

/** Object ids of types: PostgreSQL, pg_type.dat. */
const oids = { bool: 16, bytea: 17, int8: 20, int2: 21, int4: 23, float8: 701 };

/**
 * Whole numbers of 64 bits are positions and counts, which stay below 2^53. Results come as text: the driver takes those
 * in binary form for UTF-8, and so breaks them.
 */
function getTypeParser(oid: number): (value: string) => unknown {
  if (oid === oids.bool) return (value) => value === 't';
  if (oid === oids.bytea) return (value) => Buffer.from(value.slice(2), 'hex');
  if ([oids.int8, oids.int2, oids.int4, oids.float8].includes(oid)) return Number;
  return (value) => value;
}

/** Ends a connection without asking the other end. */
export function destroy(client: Client): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}
