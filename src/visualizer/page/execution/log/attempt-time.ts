/** How long an execution's attempts ran, without the waits between them. Pure. */
import type { LogIndex } from './log-index.ts';
import { spansOf } from './spans.ts';

/** Milliseconds, of attempts that have ended; nothing where the log lacks its beginning. */
export function attemptTime({ log, steps }: LogIndex): number | undefined {
  if (log.first?.sequence !== 1) return undefined;
  let sum = 0;
  for (const { phases } of spansOf(steps).attempts) {
    for (const { kind, from, to } of phases) if (kind !== 'pause' && to !== undefined) sum += to - from;
  }
  return sum;
}
