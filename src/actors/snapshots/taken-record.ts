import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { LoggedTransition, Store } from '../../stores/store.ts';

/** The state of an execution that a snapshot document describes. */
export interface Taken {
  readonly record: ExecutionRecord;
  /** The transitions up to the last event of the record. */
  readonly transitions: readonly LoggedTransition[];
  /** When its timers stopped, in milliseconds since the epoch. */
  readonly takenAt: number;
  readonly detached: boolean;
}

const pageBytes = 256 * 1024;

/** The record without what says something of one node only: what it follows there, and the batch that it is of. */
export function withoutPlace(record: ExecutionRecord): ExecutionRecord {
  const {
    restoredAt: _restoredAt,
    dependsOn: _dependsOn,
    blocked: _blocked,
    batch: _batch,
    ...rest
  } = record;
  return rest;
}

export function wasMoved({ outcome }: ExecutionRecord): boolean {
  return outcome?.status === 'failed' && outcome.code === 'MOVED';
}

/** The execution as it was last committed; one that was moved, as it was before the move began. */
export async function takenRecord(store: Store, record: ExecutionRecord, now: number): Promise<Taken> {
  if ((record.oldestSequence ?? 1) > 1) throw logGone(record.executionId);
  const { transitions } = await store.outline(record.executionId);
  const covered = transitions.filter(({ sequence }) => sequence <= record.lastSequence);
  if (!wasMoved(record)) {
    const carried = withoutPlace(record);
    return { record: carried, transitions: covered, takenAt: now, detached: false };
  }
  const moving = covered.find(({ reasonCode }) => reasonCode === 'MOVED');
  const takenAt = moving?.time ?? record.completedAt ?? now;
  const last = (moving?.sequence ?? record.lastSequence) - 1;
  const before = covered.filter(({ sequence }) => sequence <= last);
  return {
    record: await rewound(store, record, before, last),
    transitions: before,
    takenAt,
    detached: true,
  };
}

async function rewound(
  store: Store,
  record: ExecutionRecord,
  transitions: readonly LoggedTransition[],
  lastSequence: number,
): Promise<ExecutionRecord> {
  const at = transitions.at(-1);
  if (at === undefined) throw logGone(record.executionId);
  const {
    outcome: _outcome,
    completedAt: _completedAt,
    inputDelivered: _inputDelivered,
    ...rest
  } = withoutPlace(record);
  const later = await outputAfter(store, record, lastSequence);
  return {
    ...rest,
    status: at.status,
    state: at.to,
    attempt: at.attempt,
    lastSequence,
    attemptSequence: transitions.find(({ attempt }) => attempt === at.attempt && attempt > 0)?.sequence ?? 0,
    outputBytes: record.outputBytes - later.bytes,
    outputEvents: record.outputEvents - later.events,
    droppedBytes: 0,
    queueTimeMs: at.attempt === 0 ? 0 : record.queueTimeMs,
    executionTimeMs: 0,
    resourceUse: {},
  };
}

async function outputAfter(
  store: Store,
  { executionId, lastSequence }: ExecutionRecord,
  after: number,
): Promise<{ readonly bytes: number; readonly events: number }> {
  let bytes = 0;
  let events = 0;
  for await (const event of logEvents(store, executionId, after + 1, lastSequence)) {
    if (event.kind !== 'chunk') continue;
    bytes += event.data.byteLength;
    events += 1;
  }
  return { bytes, events };
}

/** Events of a log from one sequence to another, a page in memory at a time. Rejects where they are not there. */
export async function* logEvents(store: Store, executionId: string, from: number, to: number) {
  for (let next = from; next <= to; ) {
    const page = await store.events(executionId, { from: next, maxBytes: pageBytes });
    for (const event of page) {
      if (event.sequence > to) return;
      if (event.sequence !== next) throw logGone(executionId);
      next += 1;
      yield event;
    }
    if (page.length === 0) throw logGone(executionId);
  }
}

/** Also where it goes while it is read. */
function logGone(executionId: string): RequestError {
  return new RequestError(
    'failed_precondition',
    `the log of ${executionId} is not kept any more, and a snapshot without it would not be whole`,
    { reason: 'LOG_NOT_KEPT', metadata: { execution_id: executionId } },
  );
}
