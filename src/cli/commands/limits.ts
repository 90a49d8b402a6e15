import { create } from '@bufbuild/protobuf';
import { Command } from 'commander';
import { quote } from '../../domain/errors.ts';
import { changeable } from '../../domain/tasks.ts';
import { type ExecutionResult, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import {
  GetTaskResponseSchema,
  type Task,
  TaskDefinitionSchema,
  UpdateTaskResponseSchema,
} from '../../server/gen/spearlet/task_pb.js';
import { definitionMessage } from '../../server/wire/definition-message.ts';
import { type Entry, quarantineEntries, schemaEntries } from '../definition-entries.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { inLimitFlags } from '../flag-words.ts';
import { printable } from '../printable.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { account } from '../table.ts';
import { addFlag, attributeOf, saidBy, type TaskFlags, taskFlags } from '../task-flags.ts';
import { UsageError } from '../usage-error.ts';

const limitFlags = taskFlags.filter(({ path }) => (changeable as readonly string[]).includes(path[0] ?? ''));

/** Of what can be changed, what is no limit is in `spear task show`. */
const limits: ReadonlySet<string> = new Set(
  changeable.filter((name) => name !== 'warm' && name !== 'labels'),
);

/** Executions that are looked at for what is in use. */
const mostCounted = 1000;
/** Of one key. */
const mostValues = 10;

export function limitsCommand(shell: Shell): Command {
  return (
    new Command('limits')
      .description('show what a task may use and what it uses, or change it while the node runs')
      .usage('TASK [options]\n       spear limits set TASK [options]')
      // Of the first of the commands below, which needs not to be named.
      .argument('[task]', 'name or id')
      .addCommand(showCommand(shell), { isDefault: true })
      .addCommand(setCommand(shell))
  );
}

function showCommand(shell: Shell): Command {
  const command = new Command('show')
    .description('show the limits of a task, and what runs and waits of it')
    .argument('<task>', 'name or id');
  onServer(command, shell, async (session, _options, [wanted = '']) => {
    const answer = await session.tasks.getTask({ task: wanted });
    const { task } = answer;
    if (session.json) await session.printDocument(GetTaskResponseSchema, answer);
    else if (task !== undefined) await shell.out.write(account(await entriesOf(session, task)));
    return exitCodes.completed.code;
  });
  return command;
}

function setCommand(shell: Shell): Command {
  const command = new Command('set')
    .description('change what is named, at once and also for what waits; a list is replaced as a whole')
    .usage('TASK [options]')
    .argument('<task>', 'name or id')
    .option(
      '--expect <revision>',
      'refuse where somebody else has changed the task since that revision',
      wholeNumber('--expect'),
    );
  for (const field of limitFlags) {
    addFlag(command, field);
    command.option(field.name.replace(/^--/, '--no-'), 'as if it had never been said');
  }
  onServer<TaskFlags & { readonly expect?: number }>(
    command,
    shell,
    async (session, options, [task = '']) => {
      const { expect } = options;
      const named = limitFlags.filter(({ name }) => options[attributeOf(name)] !== undefined);
      if (named.length === 0) {
        const names = limitFlags.map(({ name }) => name).join(', ');
        throw new UsageError(`nothing is to be changed; allowed are ${names}, and each with --no-`);
      }
      const said = saidBy(
        options,
        named.filter(({ name }) => options[attributeOf(name)] !== false),
      );
      const answer = await session.tasks.updateTask({
        task,
        definition: create(TaskDefinitionSchema, definitionMessage.write(said)),
        updateMask: { paths: named.map(({ key }) => key) },
        ...(expect !== undefined && { expectedRevision: expect }),
      });
      if (session.json) await session.printDocument(UpdateTaskResponseSchema, answer);
      else {
        const { definition, revision = 0 } = answer.task ?? {};
        const what = answer.changed ? 'changed' : 'unchanged:';
        await note(shell, `${what} ${definition?.name ?? task} (revision ${revision})`);
      }
      return exitCodes.completed.code;
    },
    inLimitFlags,
  );
  return command;
}

async function entriesOf(session: Session, task: Task): Promise<Entry[]> {
  const { definition, revision, taskId } = task;
  if (definition === undefined) return [];
  const list = (statuses: ExecutionStatus[]) =>
    session.functions.listExecutions({ task: taskId, statuses, pageSize: mostCounted });
  const running = await list([ExecutionStatus.RUNNING]);
  const pending = await list([ExecutionStatus.PENDING]);
  const counted = ({ executions, nextPageToken }: typeof running) =>
    `${executions.length}${nextPageToken === '' ? '' : ' or more'}`;
  const shown = definitionMessage.shown(definition).filter(({ name }) => limits.has(name));
  return [
    ['name', definition.name],
    ['revision', String(revision)],
    ['running', counted(running)],
    ['pending', counted(pending)],
    ...(shown.some(({ name }) => name === 'priority') ? [] : [['priority', 'normal'] satisfies Entry]),
    ...shown.flatMap(schemaEntries),
    ...definition.concurrency.flatMap(({ key }) => useEntries(key, running.executions)),
    ...quarantineEntries(task),
  ];
}

/** How many run by values of a key, as far as executions tell: those that have most. */
function useEntries(key: string, running: readonly ExecutionResult[]): Entry[] {
  const [kind = '', name = ''] = key.split('.', 2);
  if (kind !== 'metadata' || running.length === 0) return [];
  const counts = new Map<string, number>();
  for (const { metadata } of running) {
    const value = metadata[name] ?? '';
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, mostValues);
  const text = most.map(([value, count]) => `${quote(value)} ${count}`).join(', ');
  const others = counts.size - most.length;
  return [[`running by ${key}`, printable(`${text}${others > 0 ? `, and ${others} more` : ''}`, 2000)]];
}
