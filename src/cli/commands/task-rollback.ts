import { Command } from 'commander';
import { liveAlias } from '../../domain/revisions/reference.ts';
import { RollbackAliasResponseSchema } from '../../server/gen/spearlet/revision_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { inRevisionWords } from '../flag-words.ts';
import { onServer } from '../session.ts';
import { aliasText } from '../shares.ts';
import { note, type Shell } from '../shell.ts';
import { expectVersion } from './task-alias.ts';

interface Options {
  readonly alias: string;
  readonly to?: number;
  readonly expectVersion?: number;
}

export function taskRollbackCommand(shell: Shell): Command {
  const command = new Command('rollback')
    .description('let the plain name of a task go to what it went to before')
    .argument('<task>', 'name or id')
    .option('--alias <name>', 'the alias that is moved', liveAlias)
    .option('--to <revision>', 'to this revision instead of where it was before', wholeNumber('--to'))
    .option(...expectVersion);
  onServer<Options>(
    command,
    shell,
    async (session, { alias, to = 0, expectVersion: expected }, [task = '']) => {
      const answer = await session.revisions.rollbackAlias({
        ...{ task, alias, revision: to },
        ...(expected !== undefined && { expectedVersion: expected }),
      });
      if (session.json) await session.printDocument(RollbackAliasResponseSchema, answer);
      else if (answer.alias !== undefined) {
        await note(shell, `moved ${aliasText(answer.alias)}`);
        if (answer.created && alias === liveAlias) {
          const newest = session.command('task', 'alias', 'set', task, `${liveAlias}=newest`);
          await note(shell, `what is registered from now on runs by its plain name once you say: ${newest}`);
        }
      }
      return exitCodes.completed.code;
    },
    inRevisionWords,
  );
  return command;
}
