import { Command } from 'commander';
import { ResumeExecutionResponseSchema } from '../../server/gen/spearlet/function_pb.js';
import { statusWords } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { withWaitNotice } from '../wait-notice.ts';

export function resumeCommand(shell: Shell): Command {
  const command = new Command('resume')
    .description('let an execution that is held go on')
    .argument('<id>', 'execution id');
  onServer(command, shell, async (session, _options, [executionId = '']) => {
    const answer = await withWaitNotice(shell, session.functions.resumeExecution({ executionId }));
    if (session.json) {
      await session.printDocument(ResumeExecutionResponseSchema, answer);
    } else {
      const what = answer.changed ? 'goes on; it is now' : 'was not changed: it is';
      await note(shell, `${executionId} ${what} ${statusWords(answer)}`);
    }
    return exitCodes.completed.code;
  });
  return command;
}
