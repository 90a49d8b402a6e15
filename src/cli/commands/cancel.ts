import { Command } from 'commander';
import { CancelExecutionResponseSchema } from '../../server/gen/spearlet/function_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { statusText } from '../outcome.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { withWaitNotice } from '../wait-notice.ts';

interface Options {
  readonly reason?: string;
}

export function cancelCommand(shell: Shell): Command {
  const command = new Command('cancel')
    .description('ask for an execution to end; one that has ended stays as it is')
    .argument('<id>', 'execution id')
    .option('--reason <text>', 'for people; kept in the log');
  onServer<Options>(command, shell, async (session, { reason = '' }, [executionId = '']) => {
    const answer = await withWaitNotice(shell, session.functions.cancelExecution({ executionId, reason }));
    if (session.json) {
      await session.printDocument(CancelExecutionResponseSchema, answer);
    } else {
      const status = statusText(answer.status);
      await note(
        shell,
        `${executionId} ${answer.changed ? `is being cancelled; it is ${status} now` : `was not changed: it is ${status}`}`,
      );
    }
    return exitCodes.completed.code;
  });
  return command;
}
