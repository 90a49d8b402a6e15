import type { Batch } from '../../../src/domain/batch/batch.ts';
import type { CommitEntry } from '../../../src/stores/store.ts';
import { executionId, recordOf, transition } from '../samples.ts';
import { appending } from './entries.ts';

export function batchOf(number: number, members: number, more: Partial<Batch> = {}): Batch {
  return {
    batchId: `batch_${String(number).padStart(26, '0')}`,
    invocationId: '',
    payloadDigest: '',
    createdAt: 1,
    members,
    layers: 1,
    onMemberFailure: 'continue',
    taskNames: ['echo'],
    ...more,
  };
}

/** One that waits in a line; a member of a batch by its number from `first` on. */
export function member(
  batch: Batch,
  first: number,
  place: number,
  follows: readonly number[] = [],
): CommitEntry {
  const id = executionId(first + place);
  const record = recordOf(id, 'pending', {
    lastSequence: 1,
    batch: { batchId: batch.batchId, member: place, name: `m${place}` },
    ...(follows.length > 0 && {
      blocked: true,
      dependsOn: follows.map((other) => ({ executionId: executionId(first + other) })),
    }),
  });
  return {
    ...appending(id, 0, [transition(1, '', 'pending.queued')]),
    record,
    waiting: { line: 'a', since: 5, wakesAt: 100 },
    member: { layer: follows.length === 0 ? 0 : 1, follows },
  };
}
