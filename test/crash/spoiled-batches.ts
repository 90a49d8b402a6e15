/** Forged histories in which something is wrong with a batch, or with what follows others. */
import { MemberFailurePolicy } from '../../src/server/gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import type { Forged } from './forged.ts';
import { follower, leader, together } from './forged-batch.ts';
import type { FinalBatch } from './history.ts';
import { at, createdAt, failedWith, final, type Spoil, setResult } from './spoiling.ts';

function batch(history: Forged): FinalBatch {
  const found = history.batches.get(together);
  if (found === undefined) throw new Error('no batch');
  return found;
}

function view(history: Forged) {
  const found = history.told.find((told) => told.kind === 'batchView');
  if (found?.kind !== 'batchView') throw new Error('no view');
  return found.batch;
}

/** It goes on for half a minute in one run. */
function dragOn(history: Forged, executionId: string): void {
  setResult(history, executionId, { completedAt: at(30_000) });
  history.runs[1] = { ...history.runs[1], readyAt: createdAt, endedAt: createdAt + 40_000 } as never;
}

export const spoiledBatches: readonly Spoil[] = [
  [
    'begins after what it follows',
    'it began before the end of what it follows was durable',
    (h) => Object.assign(final(h, follower).log[2] ?? {}, { position: 1n }),
  ],
  [
    'begins after what it follows',
    'it was released before that',
    (h) => Object.assign(final(h, follower).log[1] ?? {}, { position: 1n }),
  ],
  ['begins after what it follows', 'what it follows never ended', (h) => void final(h, leader).log.pop()],
  [
    'released once',
    'it was released twice',
    (h) => final(h, follower).log.splice(2, 0, structuredClone(final(h, follower).log[1] as never)),
  ],
  [
    'fails with what it follows',
    'it ran although what it follows failed',
    (h) => setResult(h, leader, failedWith(ErrorCode.FUNCTION_EXIT)),
  ],
  [
    'fails with what it follows',
    'it ran although what it follows is not there',
    (h) => h.finals.delete(leader),
  ],
  [
    'endings',
    'it failed with what it follows, which did complete',
    (h) => setResult(h, follower, { ...failedWith(ErrorCode.DEPENDENCY_FAILED), attempt: 0 }),
  ],
  [
    'endings',
    'a member was cancelled, and nobody cancelled the batch',
    (h) => setResult(h, leader, failedWith(ErrorCode.CANCELLED, ExecutionStatus.CANCELLED, 'cancelled')),
  ],
  ['output', 'it was given other output', (h) => setResult(h, leader, { output: Buffer.from('hallo') })],
  ['all of a batch or nothing', 'a member is not there', ({ finals }) => finals.delete(leader)],
  [
    'all of a batch or nothing',
    'one member was listed',
    ({ told }) => told.push({ kind: 'batchSeen', batch: 1, members: 1 }),
  ],
  ['one batch for each request', 'an accepted batch is gone', ({ batches }) => batches.delete(together)],
  [
    'one batch for each request',
    'a member is of another batch',
    (h) => setResult(h, leader, { batchId: 'batch_other' }),
  ],
  [
    'one batch for each request',
    'a refused batch is there',
    ({ told }) =>
      told.push({
        kind: 'refused',
        call: 'invokeBatch',
        batch: 1,
        code: 'UNAVAILABLE',
        reason: 'DRAINING',
        message: '',
      }),
  ],
  [
    'every member ends',
    'the batch has not ended',
    (h) => Object.assign(batch(h).batch, { isCompleted: false }),
  ],
  ['every member ends', 'a member is not listed', (h) => void (batch(h).members as unknown[]).pop()],
  [
    'every member ends',
    'a member is listed otherwise than it ended',
    (h) => setResult(h, follower, failedWith(ErrorCode.INTERNAL)),
  ],
  ['every member ends', 'an end is not in the log', (h) => void (batch(h).endings as unknown[]).pop()],
  [
    'every member ends',
    'an end is in the log twice',
    (h) => void (batch(h).endings as unknown[]).push(batch(h).endings[1]),
  ],
  [
    'every member ends',
    'an end has another number',
    (h) => Object.assign(batch(h).endings[1] ?? {}, { sequence: 3n }),
  ],
  ['every member ends', 'an end is not counted', (h) => Object.assign(batch(h).batch, { completed: 1 })],
  [
    'what was told of a batch',
    'an end that was told is another',
    (h) => Object.assign(batch(h).endings[0] ?? {}, { endedAt: at(3) }),
  ],
  ['what was told of a batch', 'counts do not add up', (h) => Object.assign(view(h), { running: 1 })],
  [
    'what was told of a batch',
    'it was told to have ended before it had',
    (h) => Object.assign(view(h), { pending: 1, completed: 1, lastSequence: 1n }),
  ],
  [
    'what was told of a batch',
    'more had completed than its log has',
    (h) => Object.assign(view(h), { lastSequence: 1n }),
  ],
  [
    'what was told of a batch',
    'a cancel that was accepted is forgotten',
    ({ told }) =>
      told.push({ kind: 'batchCancelled', batchId: together, changed: true, at: createdAt + 2000 }),
  ],
  [
    'a cancelled batch ends',
    'a member went on after the cancel',
    (h) => {
      h.told.push({ kind: 'batchCancelled', batchId: together, changed: true, at: createdAt });
      dragOn(h, leader);
    },
  ],
  [
    'a cancelled batch ends',
    'a member went on after another had failed',
    (h) => {
      const { batch: of, endings } = batch(h);
      of.onMemberFailure = MemberFailurePolicy.CANCEL_OTHERS;
      Object.assign(endings[0] ?? {}, { status: ExecutionStatus.FAILED });
      dragOn(h, follower);
    },
  ],
];
