import { Command } from 'commander';
import { DeleteExecutionResponseSchema } from '../../server/gen/spearlet/function_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';

export function deleteCommand(shell: Shell): Command {
  const command = new Command('delete')
    .description('forget an execution that has ended, with its log and its invocation id')
    .argument('<id>', 'execution id');
  onServer(command, shell, async (session, _options, [executionId = '']) => {
    const answer = await session.functions.deleteExecution({ executionId });
    if (session.json) await session.printDocument(DeleteExecutionResponseSchema, answer);
    else await note(shell, `deleted ${executionId}`);
    return exitCodes.completed.code;
  });
  return command;
}
