/** What the `db` commands do to a data folder: the only ones that reach a store without its server. */
import { type Environment, resolveDataDir } from './config.ts';
import { type BackupReport, backupDataDir } from './stores/sqlite/check/backup.ts';
import { type CheckReport, checkDataDir } from './stores/sqlite/check/check.ts';
import { type CompactReport, compactDataDir } from './stores/sqlite/check/compact.ts';

export { StoreError } from './stores/store.ts';
export type { BackupReport, CheckReport, CompactReport };

/** The folder that a server with the same flag and environment uses. */
export function dataDirOf(flag: string | undefined, env: Environment): string {
  return resolveDataDir(flag ?? (env.SPEAR_DATA_DIR || undefined), env);
}

/** Each rejects with StoreError, in words for people. */
export const backup = backupDataDir;
export const check = checkDataDir;
export const compact = compactDataDir;
