import type { Batch } from '../../../domain/batch/batch.ts';
import { isTerminal } from '../../../domain/execution.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { CommitEntry } from '../../store.ts';
import { plainArray, storable, textArray } from './parameters.ts';

/** The batch of each entry; the batch that is made, if any; then what joins one, and what of one has ended. */
export function batchArrays(entries: readonly CommitEntry[], batch: Batch | undefined): string[] {
  const joining = entries.flatMap(({ record, member }, index) =>
    record?.batch === undefined || member === undefined
      ? []
      : [{ entry: index + 1, ...record.batch, ...member }],
  );
  const ending = entries.flatMap(({ record }, index) =>
    record?.batch === undefined || !isTerminal(record.status) ? [] : [{ entry: index + 1, record }],
  );
  return [
    textArray(entries.map(({ record }) => record?.batch?.batchId ?? null)),
    textArray(batch === undefined ? [] : batchRow(batch)),
    plainArray(joining.map(({ entry }) => entry)),
    plainArray(joining.map(({ member }) => member)),
    textArray(joining.map(({ name = '' }) => storable(name))),
    plainArray(joining.map(({ layer }) => layer)),
    textArray(joining.map(({ follows }) => JSON.stringify(follows))),
    plainArray(ending.map(({ entry }) => entry)),
    plainArray(ending.map(({ record }) => record.batch?.member ?? 0)),
    textArray(ending.map(({ record: { outcome } }) => codeOf(outcome))),
    plainArray(ending.map(({ record: { completedAt = 0 } }) => completedAt)),
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
