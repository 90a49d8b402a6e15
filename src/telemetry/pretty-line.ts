import { pino } from 'pino';

type Entry = Readonly<Record<string, unknown>>;

/** A line of JSON for people: `15:04:05Z warn: the store cannot be written; new work is refused (disk full)`. */
export function prettyLine(line: string): string {
  const { time, level, msg, err, ...rest } = JSON.parse(line) as Entry;
  const at = String(time).slice('2026-01-01T'.length, '2026-01-01T15:04:05'.length);
  const name = pino.levels.labels[Number(level)] ?? String(level);
  const details = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  const { message, stack } = (err ?? {}) as { readonly message?: string; readonly stack?: string };
  if (message !== undefined) details.unshift(message);
  const end = details.length === 0 ? '' : ` (${details.join(', ')})`;
  // What went wrong in Spear itself is looked for by where it did.
  const where = String(msg).startsWith('bug:') && stack !== undefined ? `\n${stack}` : '';
  return `${at}Z ${name}: ${String(msg)}${end}${where}\n`;
}
