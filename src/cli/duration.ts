import { readDuration } from '../domain/duration.ts';
import { quote } from '../domain/errors.ts';
import { UsageError } from './usage-error.ts';

export { durationText } from '../domain/duration.ts';

/** Milliseconds, above zero: `250ms`, `5s`, `1m30s`, `1.5h`. Throws a UsageError that names `field`. */
export function parseDuration(field: string, text: string): number {
  const read = readDuration(text);
  if ('allowed' in read) throw new UsageError(`${field}: is ${quote(text)}; allowed is ${read.allowed}`);
  return read.value;
}

/** Milliseconds that may be zero: `0s`. Throws a UsageError that names `field`. */
export function parseDelay(field: string, text: string): number {
  return /^0+(?:ms|s|m|h|d)$/.test(text) ? 0 : parseDuration(field, text);
}
