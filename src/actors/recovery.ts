import type { Clock } from '../domain/clock.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { CommitEntry, Store } from '../stores/store.ts';

const pageSize = 500;

/**
 * Ends every execution that an earlier run of the node left unfinished with INTERRUPTED, so that it stays listed
 * and its log is sealed (I4, I8). Resolves with how many there were.
 */
export async function endInterrupted(store: Store, clock: Clock): Promise<number> {
  let count = 0;
  let after = '';
  for (;;) {
    const page = await store.unfinished(after, pageSize);
    const last = page.at(-1);
    if (last === undefined) return count;
    const entries = await Promise.all(
      page.map(async (record) => {
        const [event] = await store.events(record.executionId, { from: record.lastSequence, maxBytes: 1 });
        return interrupted(record, Math.max(Math.round(clock.now()), event?.time ?? 0));
      }),
    );
    await store.commit(entries);
    count += page.length;
    after = last.executionId;
  }
}

function interrupted(record: ExecutionRecord, now: number): CommitEntry {
  const sequence = record.lastSequence + 1;
  const time = Math.max(now, record.startedAt ?? record.createdAt);
  const final: ExecutionRecord = {
    ...record,
    status: 'failed',
    state: 'failed',
    lastSequence: sequence,
    completedAt: time,
    ...(record.startedAt === undefined
      ? { queueTimeMs: time - record.createdAt }
      : { executionTimeMs: time - record.startedAt }),
    outcome: {
      status: 'failed',
      code: 'INTERRUPTED',
      message: `the node stopped while this execution was ${record.state}`,
    },
  };
  return {
    executionId: record.executionId,
    expectedLastSequence: record.lastSequence,
    events: [{ kind: 'result', sequence, time, status: 'failed', attempt: record.attempt }],
    record: final,
  };
}
