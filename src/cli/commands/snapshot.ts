import { Command } from 'commander';
import {
  SnapshotExecutionResponseSchema,
  type SnapshotSummary,
} from '../../server/gen/spearlet/snapshot_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { inFlags } from '../snapshot-words.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly detach?: boolean;
  readonly withEnv?: boolean;
  readonly withArtifact?: boolean;
}

export function snapshotCommand(shell: Shell): Command {
  const command = new Command('snapshot')
    .description('write an execution down as a document, from which spear restore makes it elsewhere')
    .usage('ID [options] > FILE')
    .argument('<id>', 'execution id')
    .option('--detach', 'move it: it ends here with MOVED, and goes on where the document is restored')
    .option('--with-env', 'with the values of environment variables, which are left out otherwise')
    .option('--with-artifact', 'with the bytes of its WebAssembly artifact');
  onServer<Options>(
    command,
    shell,
    async (session, options, [executionId = '']) => {
      const { detach = false, withEnv = false, withArtifact = false } = options;
      if (shell.out.isTerminal && !session.json) {
        const again = `${session.command('snapshot', executionId)} > FILE`;
        throw new UsageError(`stdout: is a terminal; allowed is a file or a pipe: ${again}`);
      }
      const steps = session.snapshots.snapshotExecution({
        executionId,
        detach,
        includeEnvironment: withEnv,
        includeArtifact: withArtifact,
      });
      for await (const message of steps) {
        if (session.json) await session.printLine(SnapshotExecutionResponseSchema, message);
        else if (message.step.case === 'data') await shell.out.write(message.step.value);
        else if (message.step.case === 'summary') await describe(shell, message.step.value);
      }
      return exitCodes.completed.code;
    },
    inFlags,
  );
  return command;
}

async function describe(shell: Shell, summary: SnapshotSummary): Promise<void> {
  const { executionId, state, detached, lastSequence } = summary;
  await note(
    shell,
    `${executionId} in ${state}, events 1 to ${lastSequence}${detached ? ', moved from here' : ''}`,
  );
  for (const line of summary.notCarried) await note(shell, `not carried: ${line}`);
}
