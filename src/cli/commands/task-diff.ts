import { Command } from 'commander';
import { CompareRevisionsResponseSchema, type FieldChange } from '../../server/gen/spearlet/revision_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { inRevisionWords } from '../flag-words.ts';
import { printable } from '../printable.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';

export function taskDiffCommand(shell: Shell): Command {
  const command = new Command('diff')
    .description('show what differs between two revisions of a task, field by field')
    .argument('<task>', 'name or id')
    .argument('[from]', 'a number, an alias or newest; without it the one before')
    .argument('[to]', 'without it the newest');
  onServer(
    command,
    shell,
    async (session, _options, [task = '', from = '', to = '']) => {
      const answer = await session.revisions.compareRevisions({ task, from, to });
      if (session.json) {
        await session.printDocument(CompareRevisionsResponseSchema, answer);
        return exitCodes.completed.code;
      }
      await shell.out.write(answer.changes.map(lines).join(''));
      const what = answer.changes.length === 0 ? 'nothing differs' : `${answer.changes.length} changed`;
      await note(shell, `revision ${answer.from} to ${answer.to}: ${what}`);
      return exitCodes.completed.code;
    },
    inRevisionWords,
  );
  return command;
}

function lines({ path, before, after }: FieldChange): string {
  const line = (sign: string, text: string): string =>
    text === '' ? '' : `  ${sign} ${printable(text, Number.POSITIVE_INFINITY)}\n`;
  return `${printable(path, Number.POSITIVE_INFINITY)}\n${line('-', before)}${line('+', after)}`;
}
