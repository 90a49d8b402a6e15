import { type Logger, pino } from 'pino';
import type { LogControl, LogFormat, LogLevel, LogSettings } from '../domain/log-settings.ts';
import { prettyLine } from './pretty-line.ts';

export type { Logger };

/** Lines that could not be written wait for the next one; beyond so many bytes of them the newest are lost. */
const mostWaiting = 1024 * 1024;

export interface Log {
  readonly logger: Logger;
  readonly control: LogControl;
  /** Each line has this name from now on: lines of several nodes may come together. */
  name(node: string): void;
}

/** `write` takes each line with its end; without it they go to stdout. A guest's output is never a key or a message here. */
export function openLog({ level, format }: LogSettings, write: (line: string) => void = toStdout()): Log {
  const form = { format };
  const stream = {
    write(line: string): void {
      write(form.format === 'json' ? line : prettyLine(line));
    },
  };
  let named: { readonly node?: string } = {};
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, mixin: () => ({ ...named }) },
    stream,
  );
  return {
    logger,
    control: new PinoControl(logger, form),
    name(node) {
      named = { node };
    },
  };
}

class PinoControl implements LogControl {
  readonly #logger: Logger;
  readonly #form: { format: LogFormat };

  constructor(logger: Logger, form: { format: LogFormat }) {
    this.#logger = logger;
    this.#form = form;
  }

  get settings(): LogSettings {
    // Nobody gives it another one.
    return { level: this.#logger.level as LogLevel, format: this.#form.format };
  }

  change({ level, format }: Partial<LogSettings>): void {
    if (format !== undefined) this.#form.format = format;
    if (level !== undefined) this.#logger.level = level;
  }
}

/** Where stdout takes no write, as a file on a full disk, the node goes on without it. */
function toStdout(): (line: string) => void {
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: mostWaiting });
  // Each line tries to write those that wait before it.
  stdout.on('error', () => {});
  // But for one that is dropped.
  stdout.on('drop', () => void stdout.write(''));
  return (line) => void stdout.write(line);
}
