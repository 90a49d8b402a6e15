import { StoreError } from '../../store.ts';

/** The data folder cannot be this server's: another one uses it, or it cannot be made, written or kept from others. */
export class DataDirError extends StoreError {
  override readonly name: string = 'DataDirError';
}

export function unusable(dataDir: string, cause: unknown): DataDirError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DataDirError(`the data folder ${dataDir} cannot be made or written: ${why}`, { cause });
}
