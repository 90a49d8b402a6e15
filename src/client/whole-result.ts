/** An outcome with all of its output: a response carries at most 3 MiB, the log has the rest. */
import { type ExecutionResult as Message, OutputStream } from '../server/gen/spearlet/function_pb.js';
import { ExecutionResult } from './execution-result.ts';
import { followExecution } from './follow.ts';
import type { NodeCalls } from './node-calls.ts';
import { waitForEnd } from './wait.ts';

/** One call waits for so long at most: proxies cut what is silent for minutes. */
const callMs = 30_000;

export async function waitForWhole(
  calls: NodeCalls,
  executionId: string,
  signal: AbortSignal | undefined,
): Promise<ExecutionResult> {
  const { result } = await waitForEnd(calls.functions, {
    executionId,
    callMs,
    reattachment: calls.reattachment(signal),
    ...(signal !== undefined && { signal }),
  });
  if (result === undefined) throw new Error(`the server answered without the record of ${executionId}`);
  return wholeResult(calls, result, signal);
}

/** Reads from the log what the response could not carry, where the log still has it. */
export async function wholeResult(
  calls: NodeCalls,
  message: Message,
  signal: AbortSignal | undefined,
): Promise<ExecutionResult> {
  if (!message.outputTruncated || message.oldestSequence > 1n) return new ExecutionResult(message);
  const { executionId } = message;
  const written: Record<'stdout' | 'stderr', Uint8Array[]> = { stdout: [], stderr: [] };
  const options = {
    executionId,
    reattachmentTo: () => calls.reattachment(signal),
    ...(signal !== undefined && { signal }),
  };
  for await (const { attempt, event } of followExecution(calls.functions, options)) {
    if (event.case !== 'chunk' || attempt !== message.attempt) continue;
    written[event.value.stream === OutputStream.STDERR ? 'stderr' : 'stdout'].push(event.value.data);
  }
  // A typed function's value is in no chunk, and always whole.
  const isValue = message.contentType === 'application/json';
  return new ExecutionResult({
    ...message,
    output: isValue ? message.output : Buffer.concat(written.stdout),
    errorOutput: Buffer.concat(written.stderr),
    outputTruncated: false,
  });
}
