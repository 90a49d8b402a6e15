import { quote } from '../domain/errors.ts';
import { longestDays, longestMs } from '../domain/schema/values.ts';
import { UsageError } from './usage-error.ts';

export { durationText } from '../domain/duration.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds, above zero: `250ms`, `5s`, `1m30s`, `1.5h`. Throws a UsageError that names `field`. */
export function parseDuration(field: string, text: string): number {
  if (!pattern.test(text)) {
    throw new UsageError(`${field}: is ${quote(text)}; allowed is a duration such as 250ms, 5s or 1m30s`);
  }
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(part)) ms += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  if (ms <= 0 || ms > longestMs) {
    throw new UsageError(`${field}: is ${quote(text)}; allowed is more than 0 and at most ${longestDays}d`);
  }
  return ms;
}

/** Milliseconds that may be zero: `0s`. Throws a UsageError that names `field`. */
export function parseDelay(field: string, text: string): number {
  return /^0+(?:ms|s|m|h|d)$/.test(text) ? 0 : parseDuration(field, text);
}
