import { quote } from '../domain/errors.ts';
import { parseDuration } from './duration.ts';
import { UsageError } from './usage-error.ts';

/** A date alone is its beginning in UTC, as are all times of the command. */
const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;
const isZoned = /^\d{4}-\d\d-\d\d$|Z$|[+-]\d\d:?\d\d$/i;

/**
 * Milliseconds since the epoch: `2026-05-31`, `2026-05-31T12:00:00Z`, or as long before `now` as a duration says, such
 * as `2h`. A time without a zone is UTC. Throws a UsageError that names `field`.
 */
export function parseInstant(field: string, text: string, now: number): number {
  if (/^[\d.]+[a-z]/i.test(text)) return now - parseDuration(field, text);
  const time = isoTime.test(text)
    ? Date.parse(text.replace(' ', 'T') + (isZoned.test(text) ? '' : 'Z'))
    : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `${field}: is ${quote(text)}; allowed is a time such as 2026-05-31T12:00:00Z or 2026-05-31, or how long ago it was, such as 2h`,
  );
}
