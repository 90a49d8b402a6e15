import type { CommitEntry } from './store.ts';

/**
 * Throws a RangeError where the events of an entry do not follow its expected last sequence one by one
 * (invariant I3), or where it creates an execution without an event: the first is the admission, and a log
 * is what tells that an execution exists. Such an entry is a bug of the writer, not a conflict.
 */
export function assertNumbered(entry: CommitEntry): void {
  let sequence = entry.expectedLastSequence;
  if (!Number.isSafeInteger(sequence) || sequence < 0) {
    throw new RangeError(`${entry.executionId}: ${sequence} is not a last sequence number`);
  }
  if (sequence === 0 && entry.events.length === 0) {
    throw new RangeError(`${entry.executionId}: created without an event`);
  }
  for (const event of entry.events) {
    sequence += 1;
    if (event.sequence !== sequence) {
      throw new RangeError(`${entry.executionId}: event ${event.sequence} stands where ${sequence} should`);
    }
  }
}
