/**
 * medium: the disk is full, read-only or gone; nothing of the failed call was written, and another try may succeed.
 * damaged: what the store has of one execution, task or artifact cannot be had, now or later; the store itself works.
 */
export type StoreErrorKind = 'medium' | 'damaged';

/** The store could not do it. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly kind: StoreErrorKind = 'medium';
}

/** What the store has of one execution or task cannot be understood. */
export class DamagedError extends StoreError {
  override readonly name: string = 'DamagedError';
  override readonly kind: StoreErrorKind = 'damaged';
}

export function isDamage(error: unknown): boolean {
  return error instanceof StoreError && error.kind === 'damaged';
}
