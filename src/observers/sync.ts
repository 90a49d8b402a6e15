import type { Clock } from '../domain/clock.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { LogCursor } from '../domain/log.ts';

/** Node fires a timer above this at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Reads a log to its outcome. Resolves with the final record, or with the record as it is when `budgetMs` is over
 * (undefined: no budget) or the cursor is closed. Rejects with a RequestError where the admission failed.
 */
export async function waitForOutcome(
  cursor: LogCursor,
  budgetMs: number | undefined,
  clock: Clock,
): Promise<ExecutionRecord> {
  const timer =
    budgetMs === undefined || budgetMs > longestTimerMs
      ? undefined
      : clock.setTimer(budgetMs, () => cursor.wake());
  await cursor.beyond(Number.POSITIVE_INFINITY);
  timer?.cancel();
  await cursor.admitted();
  return cursor.record;
}
