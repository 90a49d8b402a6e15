import { Command } from 'commander';
import { ResetTaskResponseSchema } from '../../server/gen/spearlet/task_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';

export function taskResetCommand(shell: Shell): Command {
  const command = new Command('reset')
    .description('end the quarantine of a task of which too many attempts have failed')
    .argument('<task>', 'name or id');
  onServer(command, shell, async (session, _options, [task = '']) => {
    const answer = await session.tasks.resetTask({ task });
    if (session.json) await session.printDocument(ResetTaskResponseSchema, answer);
    else await note(shell, answer.changed ? `${task} goes on` : `unchanged: ${task} was not quarantined`);
    return exitCodes.completed.code;
  });
  return command;
}
