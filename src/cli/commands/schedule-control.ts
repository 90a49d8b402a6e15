/** What people do to a schedule that is there. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  BackfillScheduleResponseSchema,
  DeleteScheduleResponseSchema,
  FiringResult,
  ListUpcomingFiringsResponseSchema,
  PauseScheduleResponseSchema,
  ResumeScheduleResponseSchema,
  TriggerScheduleResponseSchema,
} from '../../server/gen/spearlet/schedule_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { instant, oneOf, wholeNumber } from '../flag.ts';
import { inScheduleFlags } from '../flag-words.ts';
import { firingText, overlapIn, overlapWords, upcomingText } from '../schedule-text.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';
import { UsageError } from '../usage-error.ts';
import { firingRow } from './schedule-show.ts';

function named(name: string, description: string): Command {
  return new Command(name).description(description).argument('<name>', 'of the schedule');
}

export function schedulePauseCommand(shell: Shell): Command {
  const command = named('pause', 'fire no more until it is resumed').option('--reason <text>', 'for people');
  onServer<{ readonly reason?: string }>(
    command,
    shell,
    async (session, { reason = '' }, [name = '']) => {
      const answer = await session.schedules.pauseSchedule({ name, reason });
      if (session.json) await session.printDocument(PauseScheduleResponseSchema, answer);
      else await note(shell, answer.changed ? `${name} is paused` : `unchanged: ${name} was paused already`);
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

export function scheduleResumeCommand(shell: Shell): Command {
  const command = named('resume', 'go on firing, from the next instant on');
  onServer(
    command,
    shell,
    async (session, _options, [name = '']) => {
      const answer = await session.schedules.resumeSchedule({ name });
      if (session.json) {
        await session.printDocument(ResumeScheduleResponseSchema, answer);
        return exitCodes.completed.code;
      }
      const { next, definition } = answer.schedule ?? {};
      const soon =
        next === undefined ? '' : `, next ${upcomingText(next, definition?.timezone ?? '', Date.now())}`;
      await note(shell, answer.changed ? `${name} goes on${soon}` : `unchanged: ${name} was not paused`);
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

export function scheduleTriggerCommand(shell: Shell): Command {
  const command = named('trigger', 'fire once, now; prints the execution id');
  onServer(
    command,
    shell,
    async (session, _options, [name = '']) => {
      const answer = await session.schedules.triggerSchedule({ name });
      const { firing } = answer;
      const fired = firing?.result === FiringResult.FIRED;
      if (session.json) await session.printDocument(TriggerScheduleResponseSchema, answer);
      else if (fired) await shell.out.write(`${firing.executionId}\n`);
      else if (firing !== undefined) await note(shell, `${name}: ${firingText(firing)}`);
      return fired ? exitCodes.completed.code : exitCodes.refused.code;
    },
    inScheduleFlags,
  );
  return command;
}

interface BackfillOptions {
  readonly from?: number;
  readonly to?: number;
  readonly overlap?: string;
  readonly dryRun?: boolean;
}

export function scheduleBackfillCommand(shell: Shell): Command {
  const command = named('backfill', 'fire each instant of a time that has passed')
    .option('--from <time>', 'such as 2026-05-31T00:00:00Z, or 2h (ago)', instant('--from'))
    .option('--to <time>', 'in the same words (default: now)', instant('--to'))
    .option(
      '--overlap <what>',
      `while an earlier one has not ended: ${overlapWords.join(', ')} (default: queue)`,
      oneOf('--overlap', overlapWords),
    )
    .option('--dry-run', 'say which there are, and fire none');
  onServer<BackfillOptions>(
    command,
    shell,
    async (session, options, [name = '']) => {
      const { from, to = Date.now(), overlap, dryRun = false } = options;
      if (from === undefined) throw new UsageError('--from: is required');
      const answer = await session.schedules.backfillSchedule({
        ...{ name, from: timestampFromMs(from), to: timestampFromMs(to) },
        ...{ overlap: overlapIn(overlap), dryRun },
      });
      if (session.json) await session.printDocument(BackfillScheduleResponseSchema, answer);
      else {
        const table = new Table(shell.out, ['INSTANT', 'BY', 'RESULT', 'EXECUTION'], { elastic: ['RESULT'] });
        await table.write(answer.firings.map(firingRow));
        await note(shell, `${answer.firings.length} instants${dryRun ? ', of which none was fired' : ''}`);
      }
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

export function scheduleNextCommand(shell: Shell): Command {
  const command = named('next', 'print the instants to come').option(
    '--limit <n>',
    'how many, at most 100 (default: 10)',
    wholeNumber('--limit'),
  );
  onServer<{ readonly limit?: number }>(
    command,
    shell,
    async (session, { limit = 0 }, [name = '']) => {
      const answer = await session.schedules.listUpcomingFirings({ name, limit });
      if (session.json) {
        await session.printDocument(ListUpcomingFiringsResponseSchema, answer);
        return exitCodes.completed.code;
      }
      const { schedule } = await session.schedules.getSchedule({ name });
      const zone = schedule?.definition?.timezone ?? '';
      const lines = answer.instants.map((at) => `${upcomingText(at, zone, Date.now())}\n`);
      await shell.out.write(lines.join(''));
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}

export function scheduleDeleteCommand(shell: Shell): Command {
  const command = named('delete', 'fire no more, and forget it; what it has fired goes on');
  onServer(
    command,
    shell,
    async (session, _options, [name = '']) => {
      const answer = await session.schedules.deleteSchedule({ name });
      if (session.json) await session.printDocument(DeleteScheduleResponseSchema, answer);
      else await note(shell, `deleted ${name}`);
      return exitCodes.completed.code;
    },
    inScheduleFlags,
  );
  return command;
}
