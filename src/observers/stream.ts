import { notFound, RequestError } from '../domain/errors.ts';
import type { LogEvent } from '../domain/event.ts';
import { isTerminal } from '../domain/execution.ts';
import type { LogCursor } from '../domain/log.ts';

/** Output bytes taken from the log at once: few at first, as a reader that never reads costs that much, then more. */
const firstPageBytes = 32 * 1024;
const mostPageBytes = 256 * 1024;

/**
 * Follows a log from `fromSequence` (0 and 1 mean all) to its result, page by page as the reader asks for more.
 * Ends early, without an error, when the cursor is closed. Rejects with out_of_range where the log has not come to
 * `fromSequence - 1` yet or no longer has `fromSequence`, and with not_found where it is deleted while it is read.
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
  const { oldestSequence = 1 } = cursor.record;
  if (next < oldestSequence) throw gone(next, oldestSequence);
  let pageBytes = firstPageBytes;
  while (!cursor.closed) {
    const page = await cursor.read(next, pageBytes);
    pageBytes = Math.min(2 * pageBytes, mostPageBytes);
    const first = page[0];
    const tip = page.at(-1);
    // Retention has been here meanwhile.
    if (first !== undefined && first.sequence > next) throw gone(next, first.sequence);
    if (tip === undefined) {
      const { record } = cursor;
      if (isTerminal(record.status)) {
        if (record.lastSequence < next) return;
        throw notFound('execution', cursor.executionId);
      }
      if (cursor.left) throw leaving(record.lastSequence);
      await cursor.beyond(next - 1);
    } else {
      next = tip.sequence + 1;
      yield page;
      if (tip.kind === 'result') return;
    }
  }
}

function gone(sequence: number, oldestSequence: number): RequestError {
  return new RequestError(
    'out_of_range',
    `from_sequence: event ${sequence} is no longer kept; the oldest is ${oldestSequence}`,
    {
      reason: 'SEQUENCE_GONE',
      violations: [{ field: 'from_sequence', description: `allowed is ${oldestSequence} and more` }],
      metadata: { oldest_sequence: String(oldestSequence) },
    },
  );
}

function leaving(lastSequence: number): RequestError {
  return new RequestError(
    'unavailable',
    `the node is stopping; the log goes on after event ${lastSequence} when it is back`,
    { reason: 'DRAINING', retryAfterMs: 1000, metadata: { last_sequence: String(lastSequence) } },
  );
}
