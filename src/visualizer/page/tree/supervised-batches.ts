/** The supervised batches of the node. They are no news of the feed: whoever looks at them asks every other second. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { seconds } from '../clock.ts';
import type { Call } from '../feed/call.ts';
import { type SupervisedBatch, supervisedBatchOf } from '../model/supervised-batch.ts';
import type { BatchJson, BatchMemberStateJson } from '../wire.ts';

const everyMs = 1800;
/** Batches that are shown, the newest ones. */
const most = 20;

/** Reads them until the answer's `stop` is called. */
export function watchSupervisedBatches(call: Call): {
  readonly known: ReadonlySignal<readonly SupervisedBatch[]>;
  stop(): void;
} {
  const known = signal<readonly SupervisedBatch[]>([]);
  let asked = 0;
  let asking = false;
  const read = async () => {
    const { batches } = await call<{ readonly batches: readonly BatchJson[] }>('BatchService/ListBatches', {
      supervised: true,
      pageSize: most,
    });
    const found = await Promise.all(
      batches.map(async (batch) => {
        const { members } = await call<{ readonly members: readonly BatchMemberStateJson[] }>(
          'BatchService/ListBatchMembers',
          { batchId: batch.batchId },
        );
        return supervisedBatchOf(batch, members);
      }),
    );
    if (found.length > 0 || known.peek().length > 0) known.value = found;
  };
  const stop = effect(() => {
    const time = seconds.value;
    if (asking || time - asked < everyMs) return;
    asked = time;
    asking = true;
    read()
      // The next turn asks again, and the connection's own state says that the node is away.
      .catch(() => {})
      .finally(() => {
        asking = false;
      });
  });
  return { known, stop };
}
