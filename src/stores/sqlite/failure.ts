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
