import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Command } from 'commander';
import {
  type RestoreExecutionRequestSchema,
  RestoreExecutionResponseSchema,
} from '../../server/gen/spearlet/snapshot_pb.js';
import { ArtifactProgressSchema } from '../../server/gen/spearlet/task_pb.js';
import { isHeld } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { collectPairs } from '../flag.ts';
import { type LocalStream, openLocalStream } from '../local-stream.ts';
import { ProgressDisplay } from '../progress.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { inFlags } from '../snapshot-words.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly hold?: boolean;
  readonly asNew?: boolean;
  readonly allowCopy?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

type Request = MessageInitShape<typeof RestoreExecutionRequestSchema>;

/** A document above this takes long enough to say how far it is. */
const largeBytes = 8 * 1024 * 1024;
const mostMessageBytes = 64 * 1024;

export function restoreCommand(shell: Shell): Command {
  const command = new Command('restore')
    .description('make an execution of a document that spear snapshot wrote, and let it go on where it was')
    .argument('<file>', 'the document; - is stdin')
    .option('--hold', 'hold it: it goes on with spear resume')
    .option('--as-new', 'under a new id, with a log of its own and without its invocation id')
    .option('--allow-copy', 'keep the id of one that has not ended and was not moved: both go on')
    .option(
      '--env <name=value>',
      'a value that the document leaves out; may come more than once',
      collectPairs('--env'),
    );
  onServer<Options>(
    command,
    shell,
    async (session, options, [file = '']) => {
      const { hold = false, asNew = false, allowCopy = false, env = {} } = options;
      if (file === '-' && shell.stdin.isTTY === true) {
        throw new UsageError('stdin: is a terminal; allowed is a file or a pipe');
      }
      const document = await openLocalStream('FILE', file, shell);
      const display = session.json ? undefined : new ProgressDisplay(shell);
      const first: Request = {
        step: { case: 'options', value: { hold, asNew, allowCopy, environment: env } },
      };
      const answer = await session.snapshots
        .restoreExecution(messages(first, document, display))
        .finally(() => display?.end());
      if (session.json) {
        await session.printDocument(RestoreExecutionResponseSchema, answer);
        return exitCodes.completed.code;
      }
      const { result, originExecutionId, signedBy, notes } = answer;
      const id = result?.executionId ?? '';
      await shell.out.write(`${id}\n`);
      const origin = id === originExecutionId ? '' : `, from ${originExecutionId}`;
      await note(
        shell,
        `${id} is ${result?.state}${origin}${signedBy === '' ? '' : `, signed by ${signedBy}`}`,
      );
      if (result !== undefined && isHeld(result)) {
        await note(shell, `it goes on with: ${session.command('resume', id)}`);
      }
      for (const line of notes) await note(shell, line);
      return exitCodes.completed.code;
    },
    inFlags,
  );
  return command;
}

async function* messages(
  options: Request,
  { bytes, size }: LocalStream,
  display: ProgressDisplay | undefined,
): AsyncGenerator<Request> {
  yield options;
  let done = 0;
  for await (const part of bytes) {
    for (let at = 0; at < part.byteLength; at += mostMessageBytes) {
      const value = part.subarray(at, at + mostMessageBytes);
      yield { step: { case: 'data', value } };
      done += value.byteLength;
    }
    if (size < largeBytes) continue;
    const step = { status: 'sending', doneBytes: BigInt(done), totalBytes: BigInt(size) };
    await display?.show(create(ArtifactProgressSchema, step));
  }
}
