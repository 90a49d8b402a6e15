import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { ListTasksResponseSchema, type Task } from '../../server/gen/spearlet/task_pb.js';
import { runtimeText } from '../definition.ts';
import { exitCodes } from '../exit-codes.ts';
import { collectPairs } from '../flag.ts';
import { inListFlags } from '../flag-words.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { Table } from '../table.ts';

interface Options {
  readonly label?: Readonly<Record<string, string>>;
}

const largestPage = 1000;

export function taskListCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list the registered tasks, by name')
    .option('--label <key=value>', 'only with this label (repeatable)', collectPairs('--label', 'KEY=VALUE'));
  onServer<Options>(
    command,
    shell,
    async (session, { label = {} }) => {
      if (session.json) {
        const all: Task[] = [];
        for await (const page of pages(session, label)) all.push(...page);
        await session.printDocument(ListTasksResponseSchema, create(ListTasksResponseSchema, { tasks: all }));
      } else {
        const table = new Table(shell.out, ['NAME', 'RUNTIME', 'REVISION', 'FUNCTIONS', 'UPDATED', 'ID'], {
          optional: ['FUNCTIONS', 'UPDATED', 'REVISION'],
          elastic: ['NAME'],
        });
        for await (const page of pages(session, label)) await table.write(page.map(row));
      }
      return exitCodes.completed.code;
    },
    inListFlags,
  );
  return command;
}

async function* pages(session: Session, labels: Options['label']): AsyncGenerator<Task[]> {
  let pageToken = '';
  do {
    const page = await session.tasks.listTasks({ pageSize: largestPage, pageToken, labels: { ...labels } });
    yield page.tasks;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}

function row({ definition, revision, functions, updatedAt, taskId }: Task): readonly string[] {
  return [
    definition?.name ?? '',
    definition === undefined ? '' : runtimeText(definition.runtime),
    String(revision),
    String(functions.length),
    updatedAt === undefined ? '-' : timestampDate(updatedAt).toISOString(),
    taskId,
  ];
}
