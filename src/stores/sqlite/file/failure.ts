import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import { DamagedError, StoreError } from '../../store.ts';

/** Primary result codes of https://sqlite.org/rescode.html. */
const readOnly = 8;
const corrupt = 11;
const cannotOpen = 14;
const notADatabase = 26;

/** Runs a piece of SQLite work; what SQLite throws becomes a StoreError, a bug of ours stays what it is. */
export function guardSqlite<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    throw new StoreError(`${what}: ${error.errstr}`, { cause: error });
  }
}

/** As `guardSqlite`, for what is read: a page of the database that is damaged is the misfortune of what lies there. */
export function guardReading<T>(what: string, work: () => T): T {
  try {
    return guardSqlite(what, () => unlessStale(work));
  } catch (error) {
    if (!(error instanceof Error) || primaryCode(error.cause) !== corrupt) throw error;
    throw new DamagedError(error.message, { cause: error.cause });
  }
}

/** A statement that failed says so once more when it is used again, whatever it is used for: so it is asked twice. */
function unlessStale<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (primaryCode(error) !== corrupt) throw error;
    return work();
  }
}

function primaryCode(error: unknown): number {
  return isSqliteError(error) ? error.errcode & 0xff : 0;
}

/** As `guardSqlite`, with what can be done about a database that cannot be opened, or not to write it. */
export function guardOpening<T>(path: string, work: () => T, what = `cannot open ${path}`): T {
  try {
    return guardSqlite(what, work);
  } catch (error) {
    const code = error instanceof Error ? primaryCode(error.cause) : 0;
    const hint = hintFor(code, dirname(path));
    if (hint === undefined) throw error;
    throw new StoreError(`${(error as Error).message}: ${hint}`, { cause: error });
  }
}

/** `code` is a primary one of SQLite's. */
function hintFor(code: number, folder: string): string | undefined {
  switch (code) {
    case corrupt:
    case notADatabase:
      return 'it is damaged; put a backup in its place, or move it away to start without it';
    case readOnly:
    case cannotOpen:
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

/** SQLITE_FULL or ENOSPC, wherever it stands in what a call was rejected with: the disk has no room. */
export function isFull(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (typeof cause !== 'object' || cause === null) return false;
  if ('code' in cause && cause.code === 'ENOSPC') return true;
  return 'errcode' in cause && typeof cause.errcode === 'number' && (cause.errcode & 0xff) === 13;
}

/** SQLITE_CORRUPT: a page of the database is damaged. */
export function isCorrupt(error: unknown): boolean {
  return primaryCode(error) === corrupt;
}
