import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StoreError } from '../../store.ts';
import { storeElsewhere } from '../../store-place.ts';
import { guardOpening } from '../file/failure.ts';
import { assertNotEmptied } from '../file/folder.ts';
import { schemaVersion } from '../file/schema.ts';

/** A server that is busy may hold the database this long, in milliseconds. */
const busyTimeoutMs = 10_000;

export function databasePath(dataDir: string): string {
  const path = join(dataDir, 'spear.db');
  const elsewhere = storeElsewhere(dataDir);
  if (elsewhere !== undefined) {
    throw new StoreError(
      `the executions of the node of ${dataDir} are in ${elsewhere}: pg_dump or pg_basebackup make a backup of that, pg_amcheck looks whether it is whole, and autovacuum or VACUUM give room back`,
    );
  }
  if (!existsSync(path)) throw new StoreError(`there is no store in ${dataDir}`);
  assertNotEmptied(dataDir);
  return path;
}

/** Opens a store's database beside its server, or without one, to read it. Throws StoreError. */
export function openReadOnly(dataDir: string): DatabaseSync {
  const path = databasePath(dataDir);
  return guardOpening(path, () => {
    const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs });
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version === schemaVersion) return db;
    db.close();
    throw new StoreError(
      `the schema of ${path} is version ${version}, and this program knows version ${schemaVersion}: ${version < schemaVersion ? 'start a server on it once' : 'use the program that wrote it'}`,
    );
  });
}
