import { Fenced, StoreError } from '../../store.ts';

/** The code with which the functions of the schema refuse a writer that is fenced. */
export const fencedCode = 'SP001';

/** The code with which a batch is undone; the message says why. */
export const undoneCode = 'SP003';

/** SQLSTATEs after which the same statement may be tried at once: serialization_failure, deadlock_detected. */
const againCodes = ['40001', '40P01'];

/** Error fields of the engine: five letters and digits. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

export function mayGoAgain(error: unknown): boolean {
  return againCodes.includes(sqlStateOf(error) ?? '');
}

/**
 * Whether the engine itself has refused a statement, so that nothing of it was done. Not so where it ends the
 * connection (classes 57P and 08): that may come after the commit.
 */
export function isRefusal(error: unknown): boolean {
  const state = sqlStateOf(error);
  return state !== undefined && !state.startsWith('57P') && !state.startsWith('08');
}

/** What a caller of the store is told. */
export function storeFailure(what: string, cause: unknown): Error {
  if (cause instanceof StoreError || cause instanceof Fenced) return cause;
  if (sqlStateOf(cause) === fencedCode)
    return new Fenced(`${what}: this node may no longer write`, { cause });
  const why = cause instanceof Error ? messageOf(cause) : String(cause);
  return new StoreError(`${what}: ${why}`, { cause });
}

/** An error of several tries to connect says nothing itself. */
function messageOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((each) => (each instanceof Error ? each.message : String(each))).join('; ');
  }
  return error.message;
}
