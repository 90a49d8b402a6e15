import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { StoreError } from '../store.ts';

/** Runs a piece of SQLite work; what SQLite throws becomes a StoreError, a bug of ours stays what it is. */
export function guardSqlite<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new StoreError(`${what}: ${error.errstr}`, { cause: error });
  }
}

/** As `guardSqlite`, with what can be done about a database that cannot be opened, or not to write it. */
export function guardOpening<T>(path: string, work: () => T, what = `cannot open ${path}`): T {
  try {
    return guardSqlite(what, work);
  } catch (error) {
    const code = error instanceof Error && isSqliteError(error.cause) ? error.cause.errcode & 0xff : 0;
    const hint = hintFor(code, dirname(path));
    if (hint === undefined) throw error;
    throw new StoreError(`${(error as Error).message}: ${hint}`, { cause: error });
  }
}

/** `code` is a primary one of SQLite's. */
function hintFor(code: number, folder: string): string | undefined {
  switch (code) {
    // SQLITE_CORRUPT and SQLITE_NOTADB.
    case 11:
    case 26:
      return 'it is damaged; put a backup in its place, or move it away to start without it';
    // SQLITE_READONLY and SQLITE_CANTOPEN.
    case 8:
    case 14:
      return isWritable(folder)
        ? undefined
        : `the folder ${folder} cannot be written, and check and backup, too, have to write beside the database; copy the folder to where it can be written`;
    default:
      return undefined;
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    // However that is refused, SQLite is refused as well.
    return false;
  }
}

/** What of an SQLite failure crosses threads. */
export interface SqliteFailure {
  readonly errcode: number;
  readonly errstr: string;
  readonly message: string;
}

interface SqliteError extends Error {
  /** An extended result code of https://sqlite.org/rescode.html; the low byte is the primary one. */
  readonly errcode: number;
  readonly errstr: string;
}

/** Whether an error came out of SQLite itself. */
export function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number';
}

/** SQLITE_BUSY: another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === 5;
}

/** SQLITE_FULL, wherever it stands in what a call was rejected with: the disk has no room. */
export function isFull(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (typeof cause !== 'object' || cause === null || !('errcode' in cause)) return false;
  return typeof cause.errcode === 'number' && (cause.errcode & 0xff) === 13;
}
