import { type Logger, pino } from 'pino';

export type { Logger };

/** One JSON line an entry on stdout. A guest's output is never a key or a message here. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 1, sync: true }),
  );
}
