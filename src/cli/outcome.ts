/** What became of an execution, for people: its output and one line about how it ended. */

import { followExecution } from '../client/follow.ts';
import {
  ErrorCode,
  type ExecutionResult,
  ExecutionStatus,
  OutputStream,
  type StreamExecutionResult,
} from '../server/gen/spearlet/function_pb.js';
import { reattachmentTo } from './reattach.ts';
import type { Session } from './session.ts';
import { note, type Shell } from './shell.ts';

/** A typed function's value stands in `output`; what it wrote to stdout is in the log only. */
function isValue(result: ExecutionResult): boolean {
  return result.contentType === 'application/json';
}

/** Writes all the output of the last attempt, from the log where the response could not carry it. */
export async function writeOutput(session: Session, result: ExecutionResult): Promise<void> {
  const { shell } = session;
  if (result.outputTruncated && result.oldestSequence > 1n) {
    await note(
      shell,
      `the output of ${result.executionId} is gone: its log begins with event ${result.oldestSequence}`,
    );
  } else if (result.outputTruncated) {
    const follow = {
      executionId: result.executionId,
      reattachmentTo: (executionId: string) => reattachmentTo(session, executionId),
    };
    for await (const event of followExecution(session.functions, follow)) {
      const ofValue =
        isValue(result) && event.event.case === 'chunk' && event.event.value.stream === OutputStream.STDOUT;
      if (event.attempt === result.attempt && !ofValue) await writeChunk(shell, event);
    }
  } else {
    if (!isValue(result)) await shell.out.write(result.output);
    await shell.err.write(result.errorOutput);
  }
  await writeValue(shell, result);
}

/** Writes a chunk as it came, to the stream that it was for; other events are left out. */
export async function writeChunk(shell: Shell, { event }: StreamExecutionResult): Promise<void> {
  if (event.case !== 'chunk') return;
  const output = event.value.stream === OutputStream.STDERR ? shell.err : shell.out;
  await output.write(event.value.data);
}

/** Writes a typed function's value as a line of JSON; nothing for a command. */
export async function writeValue(shell: Shell, result: ExecutionResult): Promise<void> {
  if (!isValue(result) || result.output.length === 0) return;
  await shell.out.write(result.output);
  await shell.out.write('\n');
}

/** Says how it ended where that is not simply well. */
export async function noteOutcome(shell: Shell, result: ExecutionResult): Promise<void> {
  if (result.status !== ExecutionStatus.COMPLETED)
    await note(shell, `${result.executionId} ${ending(result)}`);
}

function ending(result: ExecutionResult): string {
  const status = statusText(result.status);
  if (!result.isCompleted) return `has not ended: ${result.state}`;
  return result.errorCode === ErrorCode.UNSPECIFIED ? status : `${status}: ${errorText(result)}`;
}

/** `FUNCTION_EXIT: exit code 7`. */
export function errorText({ errorCode, errorMessage }: ExecutionResult): string {
  const code = ErrorCode[errorCode] ?? String(errorCode);
  return errorMessage === '' ? code : `${code}: ${errorMessage.replace(/\s*\n\s*/g, ' ')}`;
}

/** `timed out`. */
export function statusText(status: ExecutionStatus): string {
  return (ExecutionStatus[status] ?? String(status)).toLowerCase().replace('_', ' ');
}
