import { create } from '@bufbuild/protobuf';
import { Command } from 'commander';
import {
  DeleteAliasResponseSchema,
  ListRevisionsResponseSchema,
  SetAliasResponseSchema,
} from '../../server/gen/spearlet/revision_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { inRevisionWords } from '../flag-words.ts';
import { onServer } from '../session.ts';
import { aliasFrom, aliasText } from '../shares.ts';
import { note, type Shell } from '../shell.ts';

interface Options {
  readonly expectVersion?: number;
}

export const expectVersion = [
  '--expect-version <n>',
  'refuse where the alias has another version by now; 0: where there is one',
  wholeNumber('--expect-version'),
] as const;

export function taskAliasCommand(shell: Shell): Command {
  return new Command('alias')
    .description('name revisions of a task, and give them shares of the calls; the plain name goes to live')
    .addCommand(setCommand(shell))
    .addCommand(listCommand(shell))
    .addCommand(deleteCommand(shell));
}

function setCommand(shell: Shell): Command {
  const command = new Command('set')
    .description('make an alias, or move it')
    .argument('<task>', 'name or id')
    .argument('<alias=revision>', 'live=4, live=newest, or with percents live=3:90,4:10')
    .option(...expectVersion);
  onServer<Options>(
    command,
    shell,
    async (session, { expectVersion: expected }, [task = '', text = '']) => {
      const { alias, shares } = await aliasFrom(session, task, text);
      const answer = await session.revisions.setAlias({
        ...{ task, alias, shares: [...shares] },
        ...(expected !== undefined && { expectedVersion: expected }),
      });
      if (session.json) await session.printDocument(SetAliasResponseSchema, answer);
      else if (answer.alias !== undefined) {
        await note(shell, `${answer.changed ? 'moved' : 'unchanged:'} ${aliasText(answer.alias)}`);
      }
      return exitCodes.completed.code;
    },
    inRevisionWords,
  );
  return command;
}

function listCommand(shell: Shell): Command {
  const command = new Command('list')
    .description('list the aliases of a task, with their last moves')
    .argument('<task>', 'name or id');
  onServer(command, shell, async (session, _options, [task = '']) => {
    const { aliases, taskId, taskName } = await session.revisions.listRevisions({ task, pageSize: 1 });
    if (session.json) {
      const only = create(ListRevisionsResponseSchema, { aliases, taskId, taskName });
      await session.printDocument(ListRevisionsResponseSchema, only);
    } else {
      const lines = aliases.flatMap((alias) => [
        aliasText(alias),
        ...alias.moves.slice(1).map((move, index) => {
          const { name, version } = alias;
          const earlier = { ...alias, shares: move.shares, moves: [move], version: version - index - 1 };
          return `${' '.repeat(name.length)}${aliasText(earlier).slice(name.length)}`;
        }),
      ]);
      await shell.out.write(lines.map((line) => `${line}\n`).join(''));
    }
    return exitCodes.completed.code;
  });
  return command;
}

function deleteCommand(shell: Shell): Command {
  const command = new Command('delete')
    .description('delete an alias; without live the plain name goes to the newest revision')
    .argument('<task>', 'name or id')
    .argument('<alias>', 'its name')
    .option(...expectVersion);
  onServer<Options>(
    command,
    shell,
    async (session, { expectVersion: expected }, [task = '', alias = '']) => {
      const answer = await session.revisions.deleteAlias({
        ...{ task, alias },
        ...(expected !== undefined && { expectedVersion: expected }),
      });
      if (session.json) await session.printDocument(DeleteAliasResponseSchema, answer);
      else await note(shell, answer.changed ? `deleted ${task}@${alias}` : `there was no ${task}@${alias}`);
      return exitCodes.completed.code;
    },
    inRevisionWords,
  );
  return command;
}
