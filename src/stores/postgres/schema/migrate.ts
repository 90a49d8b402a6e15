import { StoreError } from '../../store.ts';
import type { Session } from '../engine/session.ts';
import { migrations, schemaVersion } from './migrations.ts';

/** Any number that no other program takes for its own lock. */
const lock = 0x53_70_65_61_72;

/**
 * Brings the database to this program's version, each step in a transaction of its own; several nodes that start at
 * once wait for each other. Rejects with StoreError where a newer program wrote it.
 */
export async function migrate(session: Session): Promise<void> {
  for (;;) {
    const version = await versionOf(session);
    if (version > schemaVersion) {
      throw new StoreError(
        `the store was written by a newer Spear: its schema is version ${version}, this one knows up to ${schemaVersion}`,
      );
    }
    const step = migrations[version];
    if (step === undefined) return;
    await session.read('cannot bring the database up to date', { text: wrapped(step, version) });
  }
}

async function versionOf(session: Session): Promise<number> {
  const what = 'cannot read the database';
  const [table] = await session.read(what, { text: "SELECT to_regclass('spear.schema_version') AS name" });
  if (table?.name === null) return 0;
  const [row] = await session.read(what, { text: 'SELECT version FROM spear.schema_version' });
  return Number(row?.version ?? 0);
}

/** One block, which is one transaction; who comes second finds that it has been done. */
function wrapped(step: string, version: number): string {
  return `
    DO $migration$
    BEGIN
      PERFORM pg_advisory_xact_lock(${lock});
      CREATE SCHEMA IF NOT EXISTS spear;
      CREATE TABLE IF NOT EXISTS spear.schema_version (version int NOT NULL);
      IF coalesce((SELECT max(version) FROM spear.schema_version), 0) <> ${version} THEN RETURN; END IF;
      EXECUTE $step$ ${step} $step$;
      DELETE FROM spear.schema_version;
      INSERT INTO spear.schema_version VALUES (${version + 1});
    END $migration$`;
}
