import { Command } from 'commander';
import { DeleteTaskResponseSchema } from '../../server/gen/spearlet/task_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';

interface Options {
  readonly cancelExecutions?: boolean;
}

export function taskDeleteCommand(shell: Shell): Command {
  const command = new Command('delete')
    .description('end new invocations of a task; what was admitted runs to its end')
    .argument('<task>', 'name or id')
    .option('--cancel-executions', 'also cancel what was admitted');
  onServer<Options>(command, shell, async (session, { cancelExecutions = false }, [task = '']) => {
    const answer = await session.tasks.deleteTask({ task, cancelExecutions });
    if (session.json) {
      await session.printDocument(DeleteTaskResponseSchema, answer);
    } else {
      const cancelled = cancelExecutions
        ? `; ${answer.cancelledExecutions} executions are being cancelled`
        : '';
      await note(shell, `deleted ${task} (${answer.taskId})${cancelled}`);
    }
    return exitCodes.completed.code;
  });
  return command;
}
