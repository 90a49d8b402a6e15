import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { ListSchedulesResponseSchema, type Schedule } from '../../server/gen/spearlet/schedule_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { firingText, timingText, troubleText } from '../schedule-text.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';

const largestPage = 1000;

export function scheduleListCommand(shell: Shell): Command {
  const command = new Command('list').description('list the schedules, by name; times are UTC');
  onServer(command, shell, async (session) => {
    if (session.json) {
      const schedules: Schedule[] = [];
      for await (const page of pages(session)) schedules.push(...page);
      await session.printDocument(
        ListSchedulesResponseSchema,
        create(ListSchedulesResponseSchema, { schedules }),
      );
      return exitCodes.completed.code;
    }
    const table = new Table(shell.out, ['NAME', 'TASK', 'WHEN', 'STATE', 'NEXT', 'LAST', 'TROUBLE'], {
      optional: ['LAST', 'TASK'],
      elastic: ['TROUBLE', 'WHEN'],
    });
    for await (const page of pages(session)) await table.write(page.map(row));
    return exitCodes.completed.code;
  });
  return command;
}

async function* pages(session: Session): AsyncGenerator<Schedule[]> {
  let pageToken = '';
  do {
    const page = await session.schedules.listSchedules({ pageSize: largestPage, pageToken });
    yield page.schedules;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

function row(schedule: Schedule): readonly string[] {
  const { definition, state, next, last } = schedule;
  return [
    definition?.name ?? '',
    definition?.invocation?.task ?? '',
    definition === undefined ? '' : timingText(definition),
    state,
    next === undefined ? '-' : timestampDate(next).toISOString(),
    last === undefined ? '-' : firingText(last),
    troubleText(schedule),
  ];
}
