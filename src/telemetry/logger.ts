import { type Logger, pino } from 'pino';

export type { Logger };

/** Lines that could not be written wait for the next one; beyond so many bytes of them the newest are lost. */
const mostWaiting = 1024 * 1024;

/**
 * One JSON line an entry on stdout. A guest's output is never a key or a message here. Where stdout takes no write, as
 * a file on a full disk, the node goes on without it.
 */
export function createLogger(level: string): Logger {
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: mostWaiting });
  // Each line tries to write those that wait before it.
  stdout.on('error', () => {});
  // But for one that is dropped.
  stdout.on('drop', () => void stdout.write(''));
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stdout);
}
