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

/**
 * Whether a commit was made is not known: its answer was lost. The same commit has to be made again, with the same array
 * of entries, before any other; it is answered then as it would have been, and done once.
 */
export class InDoubtError extends StoreError {
  override readonly name: string = 'InDoubtError';
}

/** This node may no longer write, now or ever: others have taken over what it had. Not to be tried again. */
export class Fenced extends Error {
  override readonly name: string = 'Fenced';
}

/** Another node has changed it since it was read: nothing was written. To be read again. */
export class ChangedMeanwhile extends Error {
  override readonly name: string = 'ChangedMeanwhile';
}

/** What the store has of one execution or task cannot be understood. */
export class DamagedError extends StoreError {
  override readonly name: string = 'DamagedError';
  override readonly kind: StoreErrorKind = 'damaged';
}

export function isDamage(error: unknown): boolean {
  return error instanceof StoreError && error.kind === 'damaged';
}

/** The store cannot be asked now, or not by this node any more: no bug of whoever asked. */
export function isAway(error: unknown): boolean {
  return error instanceof Fenced || (error instanceof StoreError && error.kind === 'medium');
}
