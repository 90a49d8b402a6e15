import { Command } from 'commander';
import { SuspendExecutionResponseSchema } from '../../server/gen/spearlet/function_pb.js';
import { statusWords } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { withWaitNotice } from '../wait-notice.ts';

export function suspendCommand(shell: Shell): Command {
  const command = new Command('suspend')
    .description('hold an execution; refused where an attempt runs that can be neither paused nor run again')
    .argument('<id>', 'execution id');
  onServer(command, shell, async (session, _options, [executionId = '']) => {
    const answer = await withWaitNotice(shell, session.functions.suspendExecution({ executionId }));
    if (session.json) {
      await session.printDocument(SuspendExecutionResponseSchema, answer);
    } else {
      const what = answer.changed ? 'is being held; it is now' : 'was not changed: it is';
      await note(shell, `${executionId} ${what} ${statusWords(answer)}`);
    }
    return exitCodes.completed.code;
  });
  return command;
}
