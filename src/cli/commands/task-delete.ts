import { Command } from 'commander';
import { type RevisionWish, taskReference } from '../../domain/revisions/reference.ts';
import { DeleteRevisionResponseSchema } from '../../server/gen/spearlet/revision_pb.js';
import { DeleteTaskResponseSchema } from '../../server/gen/spearlet/task_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly cancelExecutions?: boolean;
}

export function taskDeleteCommand(shell: Shell): Command {
  const command = new Command('delete')
    .description(
      'end new invocations of a task, or forget one of its revisions; what was admitted runs to its end',
    )
    .argument('<task>', 'name or id; with @REVISION that revision alone')
    .option('--cancel-executions', 'also cancel what was admitted');
  onServer<Options>(command, shell, async (session, { cancelExecutions = false }, [task = '']) => {
    const { task: whose, revision } = taskReference('TASK', task);
    if (revision !== undefined) return deleteRevision(session, whose, revision);
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

async function deleteRevision(session: Session, task: string, wish: RevisionWish): Promise<number> {
  if (typeof wish !== 'number') {
    throw new UsageError('TASK: names no revision by its number; allowed are NAME and NAME@3');
  }
  const answer = await session.revisions.deleteRevision({ task, revision: wish });
  if (session.json) await session.printDocument(DeleteRevisionResponseSchema, answer);
  else await note(session.shell, `deleted revision ${wish} of ${task}`);
  return exitCodes.completed.code;
}
