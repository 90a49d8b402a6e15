/** Takes up what an earlier run of the node left unfinished, page by page. */
import { SnapshotIncompatible } from '../../../machines/migrations.ts';
import type { Store } from '../../../stores/store.ts';
import type { NodeTime } from '../../time/node-time.ts';
import { endIncompatible, readStored, type StoredExecution, TaskRevisions } from './stored-execution.ts';

export interface RecoveryReport {
  /** Live again. */
  readonly revived: number;
  /** Waiting for a slot without being live; absent where there is none. */
  readonly waiting?: number;
  /** Ended with SNAPSHOT_INCOMPATIBLE. */
  readonly incompatible: number;
}

const pageSize = 500;

/**
 * The instances that may still run what an earlier run of the node started: a runtime that can follow them again must
 * not clear them away before recovery has asked for them.
 */
export async function leftInstances(store: Store): Promise<ReadonlySet<string>> {
  const instances = new Set<string>();
  let after = '';
  for (;;) {
    // What waits in a line has no instance.
    const page = await store.unfinished(after, pageSize);
    for (const { status, state, instanceId } of page) {
      if (status !== 'running') continue;
      if (instanceId !== '' && state !== 'running.backingOff') instances.add(instanceId);
    }
    const last = page.at(-1);
    // An index that is damaged would lead to the same page again.
    if (last === undefined || last.executionId <= after) return instances;
    after = last.executionId;
  }
}

/**
 * Calls `revive` for each unfinished execution, oldest first. One that cannot go on ends with SNAPSHOT_INCOMPATIBLE,
 * and the others go on. Rejects with what the store rejects with.
 */
export async function recoverUnfinished(
  store: Store,
  time: NodeTime,
  revive: (stored: StoredExecution) => void,
): Promise<RecoveryReport> {
  const tasks = new TaskRevisions(store);
  let revived = 0;
  let incompatible = 0;
  let after = '';
  for (;;) {
    const page = await store.unfinished(after, pageSize);
    const last = page.at(-1);
    // An index that is damaged would lead to the same page again.
    if (last === undefined || last.executionId <= after) return { revived, incompatible };
    for (const record of page) {
      try {
        revive(await readStored(store, tasks, record));
        revived++;
      } catch (error) {
        if (!(error instanceof SnapshotIncompatible)) throw error;
        await endIncompatible(store, time, record, error.message);
        incompatible++;
      }
    }
    after = last.executionId;
  }
}
