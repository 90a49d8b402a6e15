import { RequestError } from '../../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../../domain/execution.ts';
import { recoveryOf } from '../../../domain/interruption.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { isDamage } from '../../../domain/store-error.ts';
import type { Task } from '../../../domain/task.ts';
import type { ExecutionSnapshot } from '../../../machines/execution.ts';
import { SnapshotIncompatible } from '../../../machines/migrations.ts';
import { replay, snapshotOf } from '../../../machines/replay.ts';
import type { CommitEntry, LogOutline, Store } from '../../../stores/store.ts';
import type { NodeTime } from '../../time/node-time.ts';

/** An unfinished execution as the store has it, ready to be live again. */
export interface StoredExecution {
  readonly record: ExecutionRecord;
  readonly task: Task;
  readonly outline: LogOutline;
  readonly snapshot: ExecutionSnapshot;
}

/** Revisions that are kept. */
const mostRevisions = 1000;

/** Reads revisions of tasks once. */
export class TaskRevisions {
  readonly #store: Store;
  readonly #known = new LruMap<string, Promise<Task | undefined>>(mostRevisions);

  constructor(store: Store) {
    this.#store = store;
  }

  get({ taskId, taskRevision }: ExecutionRecord): Promise<Task | undefined> {
    const key = `${taskId}@${taskRevision}`;
    let task = this.#known.get(key);
    if (task === undefined) {
      task = this.#store.taskRevision(taskId, taskRevision);
      this.#known.set(key, task);
      // One that could not be read may be read later.
      task.catch(() => this.#known.delete(key));
    }
    return task;
  }
}

/** Rejects with SnapshotIncompatible where it cannot go on here, and with what the store rejects with. */
export async function readStored(
  store: Store,
  tasks: TaskRevisions,
  record: ExecutionRecord,
  known?: LogOutline,
): Promise<StoredExecution> {
  const task = await tasks.get(record);
  if (task === undefined) {
    throw new SnapshotIncompatible(`its task ${record.taskId} has no revision ${record.taskRevision} here`);
  }
  const outline = known ?? (await readable(store.outline(record.executionId)));
  const replayed = replay(outline.transitions, recoveryOf(task.definition));
  if (replayed.state !== record.state) {
    throw new SnapshotIncompatible(`its log leads to ${replayed.state}, its record says ${record.state}`);
  }
  return { record, task, outline, snapshot: snapshotOf(replayed) };
}

/** What was damaged on its medium is this execution's misfortune alone. */
async function readable(outline: Promise<LogOutline>): Promise<LogOutline> {
  try {
    return await outline;
  } catch (cause) {
    if (isDamage(cause)) throw new SnapshotIncompatible('its log is damaged', { cause });
    throw cause;
  }
}

/**
 * Ends an execution that cannot go on, also where less of its log is there than its record says. One that has moved on
 * meanwhile is left alone: it is another one than was found so. Resolves with its record.
 */
export async function endIncompatible(
  store: Store,
  time: NodeTime,
  record: ExecutionRecord,
  message: string,
): Promise<ExecutionRecord> {
  const end = await incompatibleEnd(store, time, record, message);
  const [result] = await store.commit([end]);
  if (result?.ok === false && result.conflict === 'sequence') {
    const now = await store.execution(record.executionId);
    if (now === undefined || now.lastSequence > record.lastSequence || isTerminal(now.status))
      return now ?? record;
    return endIncompatible(store, time, { ...record, lastSequence: result.lastSequence }, message);
  }
  return end.record ?? record;
}

async function incompatibleEnd(
  store: Store,
  clock: NodeTime,
  record: ExecutionRecord,
  message: string,
): Promise<CommitEntry> {
  const sequence = record.lastSequence + 1;
  const lastEvent = { from: record.lastSequence, maxBytes: 1 };
  // What cannot be read has no say.
  const [last] = await store.events(record.executionId, lastEvent).catch(() => []);
  const now = Math.round(clock.toWall(clock.now()));
  const time = Math.max(now, record.startedAt ?? record.createdAt, last?.time ?? 0);
  return {
    executionId: record.executionId,
    expectedLastSequence: record.lastSequence,
    events: [{ kind: 'result', sequence, time, status: 'failed', attempt: record.attempt }],
    record: {
      ...record,
      status: 'failed',
      state: 'failed',
      lastSequence: sequence,
      completedAt: time,
      ...(record.startedAt === undefined
        ? { queueTimeMs: Math.round(clock.sinceWall(record.createdAt)) }
        : { executionTimeMs: Math.round(clock.sinceWall(record.startedAt)) }),
      outcome: { status: 'failed', code: 'SNAPSHOT_INCOMPATIBLE', message },
    },
  };
}

/** Why a request cannot be done to an execution as it is now. */
export function notInState(
  { executionId, state }: Pick<ExecutionRecord, 'executionId' | 'state'>,
  why: string,
): RequestError {
  return new RequestError('failed_precondition', `${executionId} is ${state}: ${why}`, {
    reason: 'STATE_NOT_ALLOWED',
    metadata: { execution_id: executionId, state },
  });
}
