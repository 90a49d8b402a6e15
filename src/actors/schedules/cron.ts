import { Cron } from 'croner';
import { invalidArgument, quote } from '../../domain/errors.ts';
import { dateAt } from '../../domain/instant.ts';
import { LruMap } from '../../domain/lru-map.ts';
import { intervalRecurrence, type Recurrence } from '../../domain/schedule/recurrence.ts';
import type { Timing } from '../../domain/schedule/schedule.ts';

type CronTiming = Extract<Timing, { kind: 'cron' }>;

/** Patterns kept in memory: one takes 30 µs to read. */
const mostKept = 1000;
const nicknames = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly'];
const mostCharacters = 256;
export const cronWords = `5 fields (minute hour day-of-month month day-of-week), 6 with seconds first, or one of ${nicknames.join(', ')}`;

/** Which instants schedules have. */
export class Recurrences {
  readonly #kept = new LruMap<string, Recurrence>(mostKept);

  /** Throws invalid_argument, naming `cron` or `timezone`. */
  of(timing: Timing): Recurrence {
    if (timing.kind === 'interval') return intervalRecurrence(timing);
    const key = `${timing.timezone} ${timing.cron}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const made = cronRecurrence(timing);
    this.#kept.set(key, made);
    return made;
  }
}

/** Throws invalid_argument. */
function cronRecurrence({ cron, timezone }: CronTiming): Recurrence {
  assertZone(timezone);
  const fields = cron.trim().split(/\s+/);
  const nickname = fields.length === 1 && nicknames.includes(fields[0] ?? '');
  if (cron.length > mostCharacters || !(nickname || fields.length === 5 || fields.length === 6)) {
    throw invalidArgument('cron', `is ${quote(cron)}; allowed are ${cronWords}`);
  }
  try {
    const pattern = new Cron(fields.join(' '), {
      timezone,
      ...(!nickname && { mode: '5-or-6-parts' as const }),
      paused: true,
    });
    return { after: (instant) => pattern.nextRun(dateAt(instant))?.getTime() };
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : '';
    throw invalidArgument('cron', `is ${quote(cron)}: ${why}; allowed are ${cronWords}`);
  }
}

function assertZone(timezone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone });
  } catch {
    throw invalidArgument(
      'timezone',
      `is ${quote(timezone)}; allowed is an IANA name, such as UTC or Europe/Berlin`,
    );
  }
}
