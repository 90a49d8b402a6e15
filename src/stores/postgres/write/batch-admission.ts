import type { Clock } from '../../../domain/clock.ts';
import { type BatchResult, type CommitEntry, InDoubtError, type SuperviseResult } from '../../store.ts';
import type { BatchChange } from './batch-arrays.ts';
import { type Commits, UndoneError } from './commits.ts';

/** How long after its answer was lost a batch is asked about again, in milliseconds. */
const againMs = 200;

/** Makes a batch, or writes a supervised one anew, in one statement. Where its answer is lost, it is waited for: nobody else would ask what became of it. */
export async function commitBatch(
  commits: Commits,
  clock: Pick<Clock, 'setTimer'>,
  batch: BatchChange,
  entries: readonly CommitEntry[],
): Promise<BatchResult | SuperviseResult> {
  for (;;) {
    try {
      const results = await commits.commit(entries, false, batch);
      return { ok: true, positions: results.map((result) => (result.ok ? result.position : 0)) };
    } catch (error) {
      if (error instanceof UndoneError) return refusalOf(error.message, entries);
      if (!(error instanceof InDoubtError)) throw error;
      await new Promise<void>((resolve) => clock.setTimer(againMs, resolve));
    }
  }
}

function refusalOf(told: string, entries: readonly CommitEntry[]): BatchResult | SuperviseResult {
  const why = JSON.parse(told) as
    | ['changed']
    | ['batch', string]
    | [index: number, conflict: string, detail: string];
  if (why[0] === 'changed') return { ok: false, conflict: 'changed' };
  if (why[0] === 'batch') return { ok: false, conflict: 'batch', batchId: String(why[1]) };
  if (why[1] === 'dependency') return { ok: false, conflict: 'dependency', executionId: String(why[2]) };
  throw new Error(`${entries[why[0] as number]?.executionId}: a member of a new batch is there already`);
}
