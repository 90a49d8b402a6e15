import { Command } from 'commander';
import { WaitExecutionResponseSchema } from '../../server/gen/spearlet/function_pb.js';
import { exitCodeOf, exitCodes } from '../exit-codes.ts';
import { duration } from '../flag.ts';
import { saysOnLeaving } from '../leaving.ts';
import { noteOutcome, writeOutput } from '../outcome.ts';
import { onServer } from '../session.ts';
import type { Shell } from '../shell.ts';
import { waitForOutcome } from '../waiting.ts';

interface Options {
  readonly timeout?: number;
}

export function waitCommand(shell: Shell): Command {
  const command = new Command('wait')
    .description('wait for the outcome of an execution, and print its output')
    .argument('<id>', 'execution id')
    .option('--timeout <duration>', 'the longest wait; the execution goes on', duration('--timeout'));
  onServer<Options>(command, shell, async (session, { timeout }, [executionId = '']) => {
    // The first contact: a server that is not there is told at once, one that goes away later is waited for.
    const { result: first } = await session.functions.getExecutionStatus({ executionId });
    const options = {
      executionId,
      ...(first !== undefined && { first }),
      ...(timeout !== undefined && { totalMs: timeout }),
    };
    const answer = await saysOnLeaving(
      shell,
      () => `${executionId} goes on: ${session.command('wait', executionId)}`,
      () => waitForOutcome(session, options),
    );
    const { result } = answer;
    if (result === undefined) return exitCodes.platform.code;
    if (session.json) {
      await session.printDocument(WaitExecutionResponseSchema, answer);
    } else {
      // What there is of the output so far is better read by watch, which goes on with it.
      if (result.isCompleted) await writeOutput(session, result);
      await noteOutcome(shell, result);
    }
    return exitCodeOf(result);
  });
  return command;
}
