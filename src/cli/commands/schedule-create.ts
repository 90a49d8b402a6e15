import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  CreateScheduleResponseSchema,
  type Schedule,
  UpdateScheduleResponseSchema,
} from '../../server/gen/spearlet/schedule_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { inScheduleFlags } from '../flag-words.ts';
import { timingText, upcomingText } from '../schedule-text.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { addDefinitionFlags, type DefinitionFlags, readDefinition } from './schedule-definition.ts';

interface CreateOptions extends DefinitionFlags {
  readonly paused?: string | true;
  readonly dryRun?: boolean;
}

interface UpdateOptions extends DefinitionFlags {
  readonly expectedRevision?: number;
  readonly dryRun?: boolean;
}

export function scheduleCreateCommand(shell: Shell): Command {
  const command = withNames('create', 'invoke a task again and again, by a cron line or at an interval')
    .option('--paused [reason]', 'begins paused')
    .option('--dry-run', 'say when it would fire, and keep nothing');
  onServer<CreateOptions>(
    command,
    shell,
    async (session, options, [name = '', wave]) => {
      const { paused, dryRun = false } = options;
      const answer = await session.schedules.createSchedule({
        definition: await readDefinition(session, name, wave, options),
        paused: paused !== undefined,
        pauseReason: typeof paused === 'string' ? paused : '',
        dryRun,
      });
      if (session.json) await session.printDocument(CreateScheduleResponseSchema, answer);
      else await tell(shell, dryRun ? 'would create' : 'created', answer.schedule, answer.upcoming);
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

export function scheduleUpdateCommand(shell: Shell): Command {
  const command = withNames('update', 'replace all that a schedule says; what is not said is as for create')
    .option(
      '--expected-revision <n>',
      'refuse it where somebody has changed it since',
      wholeNumber('--expected-revision'),
    )
    .option('--dry-run', 'say when it would fire, and change nothing');
  onServer<UpdateOptions>(
    command,
    shell,
    async (session, options, [name = '', wave]) => {
      const { expectedRevision = 0, dryRun = false } = options;
      const definition = await readDefinition(session, name, wave, options);
      const answer = await session.schedules.updateSchedule({ definition, expectedRevision, dryRun });
      if (session.json) await session.printDocument(UpdateScheduleResponseSchema, answer);
      else await tell(shell, dryRun ? 'would update' : 'updated', answer.schedule, answer.upcoming);
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

function withNames(name: string, description: string): Command {
  const command = new Command(name)
    .description(description)
    .argument('<name>', 'of the schedule')
    .argument('[call]', "a typed call in WAVE, such as 'add(1, 2)', instead of --function and --param");
  return addDefinitionFlags(command);
}

async function tell(
  shell: Shell,
  what: string,
  schedule: Schedule | undefined,
  upcoming: readonly Timestamp[],
): Promise<void> {
  const { definition, revision = 0, state } = schedule ?? {};
  if (definition === undefined) return;
  const heading = `${what} ${definition.name} (revision ${revision}): ${timingText(definition)}${state === 'paused' ? ', paused' : ''}`;
  const lines = upcoming.map((at) => `  ${upcomingText(at, definition.timezone, Date.now())}`);
  await note(shell, heading);
  await shell.err.write(lines.map((line) => `${line}\n`).join(''));
}
