import type { NewEvent } from '../../../src/domain/event.ts';
import type { CommitEntry } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';

export const a = executionId(1);
export const b = executionId(2);
export const c = executionId(3);
export const all = { from: 1, maxBytes: 1 << 30 };

export function appending(
  id: string,
  expectedLastSequence: number,
  events: readonly NewEvent[],
): CommitEntry {
  return { executionId: id, expectedLastSequence, events };
}

export function creating(id: string, status: 'running' | 'completed' = 'completed'): CommitEntry {
  return { ...appending(id, 0, shortLog()), record: recordOf(id, status) };
}

export function sequences(events: readonly { readonly sequence: number }[]): number[] {
  return events.map((event) => event.sequence);
}

/** As one without anything to run has ended: with its time, by which it is kept or not. */
export function ended(number: number, completedAt: number, events = shortLog()): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'completed', {
    createdAt: number,
    completedAt,
    lastSequence: events.length,
  });
  return { ...appending(id, 0, events), record };
}
