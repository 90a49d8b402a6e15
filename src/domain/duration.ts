import { longestDays, longestMs } from './schema/values.ts';

/** For people: `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 5 min`, `3 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const pattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/** Milliseconds, above zero, as people write them: `250ms`, `5s`, `1m30s`, `1.5h`; or what is allowed, in words. */
export function readDuration(text: string): { readonly value: number } | { readonly allowed: string } {
  if (!pattern.test(text)) return { allowed: 'a duration such as 250ms, 5s or 1m30s' };
  let value = 0;
  for (const [, amount, unit] of text.matchAll(part)) value += Number(amount) * (unitMs[unit ?? ''] ?? 0);
  if (value > 0 && value <= longestMs) return { value };
  return { allowed: `more than 0 and at most ${longestDays}d` };
}
