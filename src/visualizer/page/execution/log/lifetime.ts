/** When an execution began and how far it is known: one answer for the head, the timeline and the events. Pure. */
import type { EventLog } from '../../model/event-log.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';

export interface Lifetime {
  /** Its admission, in milliseconds since the epoch. */
  readonly from: number;
  /** Its end, or when it was heard of last. */
  readonly to: number;
}

export function lifetimeOf(log: EventLog, row: ExecutionRow | undefined): Lifetime {
  const first = log.first?.time;
  const last = log.last?.time ?? 0;
  // The first event is written a moment after the call came, which is the time that every list tells.
  const from = Math.min(row?.createdAt ?? Number.POSITIVE_INFINITY, first ?? Number.POSITIVE_INFINITY);
  const to = row?.completedAt ?? Math.max(row?.seenAt ?? 0, last);
  return Number.isFinite(from) ? { from, to: Math.max(from, to) } : { from: 0, to: 0 };
}
