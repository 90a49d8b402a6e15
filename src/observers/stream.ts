import { RequestError } from '../domain/errors.ts';
import type { LogEvent } from '../domain/event.ts';
import type { LogCursor } from '../domain/log.ts';

/** Output bytes taken from the log at once; what a slow reader costs in memory. */
const pageBytes = 256 * 1024;

/**
 * Follows a log from `fromSequence` (0 and 1 mean all) to its result, page by page as the reader asks for more.
 * Ends early, without an error, when the cursor is closed. Rejects with out_of_range where the log has not come to
 * `fromSequence - 1` yet.
 */
export async function* followLog(
  cursor: LogCursor,
  fromSequence: number,
): AsyncGenerator<readonly LogEvent[], void, undefined> {
  await cursor.admitted();
  let next = Math.max(1, fromSequence);
  const last = cursor.record.lastSequence;
  if (next > last + 1) {
    throw new RequestError(
      'out_of_range',
      `from_sequence: ${next} is beyond the log; the last event is ${last}`,
      {
        reason: 'SEQUENCE_BEYOND_LOG',
        violations: [{ field: 'from_sequence', description: `allowed is 0 to ${last + 1}` }],
        metadata: { last_sequence: String(last) },
      },
    );
  }
  while (!cursor.closed) {
    const page = await cursor.read(next, pageBytes);
    const tip = page.at(-1);
    if (tip === undefined) {
      const { record } = cursor;
      if (record.outcome !== undefined && record.lastSequence < next) return;
      await cursor.beyond(next - 1);
    } else {
      next = tip.sequence + 1;
      yield page;
      if (tip.kind === 'result') return;
    }
  }
}
