import { durationMs, timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type Firing,
  GetScheduleResponseSchema,
  type Schedule,
} from '../../server/gen/spearlet/schedule_pb.js';
import type { Entry } from '../definition-entries.ts';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { inScheduleFlags } from '../flag-words.ts';
import {
  causeText,
  firingText,
  overlapText,
  timingText,
  troubleText,
  upcomingText,
} from '../schedule-text.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { account, Table } from '../table.ts';

interface Options {
  readonly limit?: number;
}

const shownFirings = 10;

export function scheduleShowCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show a schedule, what comes next and what has become of its last firings; times are UTC')
    .argument('<name>', 'of the schedule')
    .option(
      '--limit <n>',
      `how many firings, of the last 100 (default: ${shownFirings})`,
      wholeNumber('--limit'),
    );
  onServer<Options>(
    command,
    shell,
    async (session, { limit = shownFirings }, [name = '']) => {
      const answer = await session.schedules.getSchedule({ name });
      if (session.json) {
        await session.printDocument(GetScheduleResponseSchema, answer);
        return exitCodes.completed.code;
      }
      const { schedule } = answer;
      if (schedule === undefined) return exitCodes.completed.code;
      const { firings } = await session.schedules.listFirings({ name });
      await shell.out.write(account(entriesOf(schedule)));
      if (firings.length === 0) return exitCodes.completed.code;
      await shell.out.write('\n');
      const table = new Table(shell.out, ['INSTANT', 'BY', 'RESULT', 'EXECUTION'], { elastic: ['RESULT'] });
      await table.write(firings.slice(0, limit).map(firingRow));
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

function entriesOf(schedule: Schedule): Entry[] {
  const { definition, pausedAt, next, fired, skipped, missed, refused } = schedule;
  if (definition === undefined) return [];
  const { invocation, catchUp, jitter, startAt, endAt, description } = definition;
  const trouble = troubleText(schedule);
  const why = schedule.pauseReason === '' ? '' : `: ${schedule.pauseReason}`;
  return [
    ['name', definition.name],
    ...(description === '' ? [] : [['description', description] as Entry]),
    ['task', invocation?.task ?? ''],
    ['when', timingText(definition)],
    ['state', schedule.state],
    ...(pausedAt === undefined
      ? []
      : [['paused', `${timestampDate(pausedAt).toISOString()} by ${schedule.pausedBy}${why}`] as Entry]),
    ['next', next === undefined ? '-' : upcomingText(next, definition.timezone, Date.now())],
    ['overlap', overlapText(definition.overlap)],
    ...(catchUp === undefined ? [] : [['catch-up', durationText(durationMs(catchUp))] as Entry]),
    ...(jitter === undefined ? [] : [['jitter', durationText(durationMs(jitter))] as Entry]),
    ...(startAt === undefined ? [] : [['start at', timestampDate(startAt).toISOString()] as Entry]),
    ...(endAt === undefined ? [] : [['end at', timestampDate(endAt).toISOString()] as Entry]),
    ['firings', `${fired} fired, ${skipped} skipped, ${missed} missed, ${refused} refused`],
    ...(trouble === '' ? [] : [['trouble', trouble] as Entry]),
    ['made by', `${schedule.principal} (revision ${schedule.revision})`],
  ];
}

export function firingRow(firing: Firing): readonly string[] {
  const { instant, cause, executionId } = firing;
  return [
    instant === undefined ? '' : timestampDate(instant).toISOString(),
    causeText(cause),
    firingText(firing),
    executionId === '' ? '-' : executionId,
  ];
}
