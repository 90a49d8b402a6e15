/** What Spear asks of an engine before it trusts it with anything. */

import type { EngineHost } from '../../../domain/engine-address.ts';
import { StoreError } from '../../store.ts';
import type { Client } from './driver.ts';

/** The oldest that is tested. */
const oldestMajor = 15;

/** What an acknowledgement is worth nothing without: PostgreSQL, "Write Ahead Log". */
const durable: Readonly<Record<string, readonly string[]>> = {
  fsync: ['on'],
  full_page_writes: ['on'],
  synchronous_commit: ['on', 'remote_write', 'remote_apply'],
};

/**
 * Throws StoreError where the engine is too old, a standby, does not hold UTF-8, or is set to acknowledge what a crash
 * may lose.
 */
export async function assertEngine(client: Client, { host, port }: EngineHost): Promise<void> {
  const where = `the PostgreSQL at ${host}:${port}`;
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::int4 AS version, pg_is_in_recovery() AS standby,
       current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('server_encoding') AS encoding`,
  );
  const found = (rows as unknown as Record<string, unknown>[])[0] ?? {};
  const major = Math.floor(Number(found.version) / 10_000);
  if (major < oldestMajor) {
    throw new StoreError(`${where} is version ${major}; Spear needs ${oldestMajor} or later`);
  }
  if (found.standby === true) throw new StoreError(`${where} is a standby, which cannot be written`);
  if (found.encoding !== 'UTF8') {
    throw new StoreError(
      `the database of ${where} has the encoding ${String(found.encoding)}; Spear needs UTF8`,
    );
  }
  for (const [name, allowed] of Object.entries(durable)) {
    if (allowed.includes(String(found[name]))) continue;
    throw new StoreError(
      `${where} has ${name} = ${String(found[name])}, so that a crash may lose what it has acknowledged; Spear needs ${allowed.join(', ')}`,
    );
  }
}
