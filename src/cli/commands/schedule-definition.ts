/** The flags of what a schedule says, of `create` and `update`. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import type { ScheduleDefinitionSchema } from '../../server/gen/spearlet/schedule_pb.js';
import { delay, duration, oneOf } from '../flag.ts';
import { parseInstant } from '../instant.ts';
import { addInvocationFlags, type InvocationFlags, readInvocation } from '../invocation-flags.ts';
import { overlapIn, overlapWords } from '../schedule-text.ts';
import type { Session } from '../session.ts';
import { readInput } from '../standard-input.ts';
import { UsageError } from '../usage-error.ts';

export interface DefinitionFlags extends InvocationFlags {
  readonly task?: string;
  readonly cron?: string;
  readonly every?: number;
  readonly timezone?: string;
  readonly overlap?: string;
  readonly catchUp?: number;
  readonly jitter?: number;
  readonly startAt?: string;
  readonly endAt?: string;
  readonly description?: string;
  readonly input?: string;
}

type Definition = MessageInitShape<typeof ScheduleDefinitionSchema>;

export function addDefinitionFlags(command: Command): Command {
  command
    .option('--task <task>', 'what it invokes, by name or id')
    .option(
      '--cron <line>',
      "when: 'MINUTE HOUR DAY MONTH WEEKDAY', with seconds first where it has 6 fields",
    )
    .option('--every <duration>', 'instead of --cron: at this interval, such as 15m', duration('--every'))
    .option('--timezone <zone>', 'whose clocks --cron means, such as Europe/Berlin (default: UTC)')
    .option(
      '--overlap <what>',
      `while an earlier one has not ended: ${overlapWords.join(', ')} (default: skip)`,
      oneOf('--overlap', overlapWords),
    )
    .option('--catch-up <duration>', 'how late one may still fire (default: 1m)', duration('--catch-up'))
    .option('--jitter <duration>', 'each comes later by a part of this', delay('--jitter'))
    .option('--start-at <time>', 'nothing fires before, such as 2026-12-01T00:00:00Z')
    .option('--end-at <time>', 'nothing fires after')
    .option('--description <text>', 'for people')
    .option('--input <file>', 'standard input of the function; - is ours');
  return addInvocationFlags(command);
}

export async function readDefinition(
  session: Session,
  name: string,
  wave: string | undefined,
  options: DefinitionFlags,
): Promise<Definition> {
  const { task, cron, every, catchUp, jitter, startAt, endAt, input } = options;
  if (task === undefined) throw new UsageError('--task: is required');
  if ((cron === undefined) === (every === undefined)) {
    throw new UsageError('--cron: allowed is either --cron or --every');
  }
  const content = input === undefined ? undefined : await readInput(session.shell, { isTyped: false, input });
  return {
    name,
    invocation: await readInvocation(session, task, wave, options, content),
    when:
      cron !== undefined
        ? { case: 'cron', value: cron }
        : { case: 'interval', value: durationFromMs(every ?? 0) },
    timezone: options.timezone ?? '',
    overlap: overlapIn(options.overlap),
    ...(catchUp !== undefined && { catchUp: durationFromMs(catchUp) }),
    ...(jitter !== undefined && { jitter: durationFromMs(jitter) }),
    ...(startAt !== undefined && { startAt: timeIn('--start-at', startAt) }),
    ...(endAt !== undefined && { endAt: timeIn('--end-at', endAt) }),
    description: options.description ?? '',
  };
}

/** A time, not how long ago one was. */
function timeIn(flag: string, text: string) {
  if (/^\d+[a-z]/i.test(text)) {
    throw new UsageError(
      `${flag}: is ${JSON.stringify(text)}; allowed is a time such as 2026-12-01T00:00:00Z`,
    );
  }
  return timestampFromMs(parseInstant(flag, text, 0));
}
