import type { Batch } from '../../../domain/batch/batch.ts';
import { isTerminal } from '../../../domain/execution.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { CommitEntry, MemberEnding } from '../../store.ts';
import { plainArray, storable, textArray } from './parameters.ts';

/** A batch that is made with the entries, or one that is written anew with them, with ends of its members. */
export type BatchChange =
  | { readonly made: Batch }
  | { readonly before: Batch; readonly supervised: Batch; readonly endings: readonly MemberEnding[] };

/**
 * The batch of each entry; the batch that is made, if any; then what joins one, what of one has ended, and the batch that
 * is written anew, if any.
 */
export function batchArrays(entries: readonly CommitEntry[], change: BatchChange | undefined): string[] {
  const made = change !== undefined && 'made' in change ? change.made : undefined;
  const anew = change !== undefined && 'supervised' in change ? change : undefined;
  const joining = entries.flatMap(({ record, member }, index) =>
    record?.batch === undefined || member === undefined
      ? []
      : [{ entry: index + 1, ...record.batch, ...member }],
  );
  const ending = [
    ...(anew?.endings ?? []).map(({ member, end }) => ({
      ...{ entry: 0, batchId: anew?.supervised.batchId ?? '', member, ...end },
      code: end.errorCode ?? null,
    })),
    ...entries.flatMap(({ record }, index) => {
      if (record?.batch === undefined || record.batch.supervised === true) return [];
      const { batch, status, outcome, completedAt: endedAt = 0 } = record;
      if (!isTerminal(status)) return [];
      return [{ entry: index + 1, ...batch, status, endedAt, code: codeOf(outcome) }];
    }),
  ];
  return [
    textArray(entries.map(({ record }) => record?.batch?.batchId ?? null)),
    textArray(made === undefined ? [] : batchRow(made)),
    plainArray(joining.map(({ entry }) => entry)),
    plainArray(joining.map(({ member }) => member)),
    textArray(joining.map(({ name = '' }) => storable(name))),
    plainArray(joining.map(({ layer }) => layer)),
    textArray(joining.map(({ follows }) => JSON.stringify(follows))),
    plainArray(ending.map(({ entry }) => entry)),
    textArray(ending.map(({ batchId }) => batchId)),
    plainArray(ending.map(({ member }) => member)),
    textArray(ending.map(({ status }) => status)),
    textArray(ending.map(({ code }) => code)),
    plainArray(ending.map(({ endedAt }) => endedAt)),
    textArray(
      anew === undefined
        ? []
        : [anew.supervised.batchId, JSON.stringify(anew.supervised), JSON.stringify(anew.before)],
    ),
  ];
}

function batchRow(batch: Batch): (string | null)[] {
  const { batchId, invocationId, members } = batch;
  const key = invocationId === '' ? null : storable(invocationId);
  return [batchId, tenantOf(batch), key, String(members), JSON.stringify(batch)];
}

function codeOf(outcome: NonNullable<CommitEntry['record']>['outcome']): string | null {
  return outcome !== undefined && outcome.status !== 'completed' ? outcome.code : null;
}
