import type { ExecutionRecord, Outcome } from '../../domain/execution.ts';
import type { RecoveryPolicy } from '../../domain/interruption.ts';
import {
  type Check,
  duration as durationFrom,
  instant,
  Mismatch,
  nullable,
  object,
  oneOf,
  text,
  whole,
} from '../../domain/schema/check.ts';
import { outcomeCheck } from '../../domain/schema/execution-record.ts';
import { interruptPolicy, maxRecoveries, timers } from '../../domain/schema/task-definition.ts';
import { retry } from '../../domain/schema/task-limits.ts';
import { errorCode, executionId, longestMs, mostCount } from '../../domain/schema/values.ts';
import { damaged } from '../../domain/snapshot/refusal.ts';
import type { TimerPolicies } from '../../domain/task.ts';
import { executionChartVersion } from '../../machines/execution.ts';
import type { Cause } from '../../machines/execution-context.ts';
import { SnapshotIncompatible } from '../../machines/migrations.ts';
import { type LoggedChange, type Replayed, replay, snapshotOf } from '../../machines/replay.ts';
import { type StoredContext, storedContext } from '../../machines/stored-context.ts';

const duration = durationFrom(0, longestMs);
const count = whole(0, mostCount);
const at = nullable(instant);
const none: Check<number> = (_value, path) => {
  throw new Mismatch(path, 'is set; allowed is null');
};

/** What a chart would trust blindly, of a document that anyone may have written. */
const context: Check<StoredContext> = object<StoredContext>({
  executionId,
  attempt: count,
  totalMs: duration,
  totalFrom: nullable(oneOf('attempt')),
  totalDeadline: instant,
  queueMs: nullable(duration),
  attemptMs: nullable(duration),
  graceMs: duration,
  retry,
  recovery: object<RecoveryPolicy>({ onInterrupt: interruptPolicy, maxRecoveries }),
  timers: nullable<TimerPolicies>(timers),
  lost: count,
  recoveries: count,
  startMs: nullable(duration),
  startAt: at,
  queueDeadline: at,
  attemptDeadline: at,
  retryAt: at,
  stopDeadline: at,
  stoppingSince: at,
  heldSince: at,
  // What waits for others is not carried.
  blockedSince: nullable<number>(none),
  pausedAttempt: nullable(count),
  cause: nullable<Cause>(object<Cause>({ code: errorCode, message: text(64 * 1024) })),
  outcome: nullable<Outcome>(outcomeCheck),
});

/**
 * The machine that the log of a document leads to; undefined where a chart wrote it that this node does not know.
 * Throws invalid_argument where it makes none, or not the record's.
 */
export function restoredMachine(
  changes: readonly LoggedChange[],
  record: ExecutionRecord,
  recovery: RecoveryPolicy,
): Replayed | undefined {
  if (changes.some(({ chartVersion }) => chartVersion > executionChartVersion)) return undefined;
  try {
    const replayed = replay(changes, recovery);
    context(storedContext(replayed.context), 'context');
    snapshotOf(replayed);
    if (replayed.context.executionId !== record.executionId || replayed.context.attempt !== record.attempt) {
      throw new Mismatch('context', 'is of another execution or attempt than the record');
    }
    return replayed;
  } catch (error) {
    if (!(error instanceof Mismatch) && !(error instanceof SnapshotIncompatible)) throw error;
    throw damaged(1, `the log makes no machine: ${error.message}`);
  }
}
