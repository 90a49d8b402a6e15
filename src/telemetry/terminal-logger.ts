import { type Logger, pino } from 'pino';

type Entry = Readonly<Record<string, unknown>>;

/** One readable line an entry, for somebody who looks on; the lines of `createLogger` are for programs. */
export function createTerminalLogger(level: string, write: (text: string) => void): Logger {
  const stream = { write: (line: string) => write(lineOf(JSON.parse(line) as Entry)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** `15:04:05Z warn: the store cannot be written; new work is refused (disk full)`. */
function lineOf({ time, level, msg, err, ...rest }: Entry): string {
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
