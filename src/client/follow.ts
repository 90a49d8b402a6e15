import type { FunctionService, StreamExecutionResult } from '../server/gen/spearlet/function_pb.js';
import type { ServiceClient } from './channel.ts';
import type { Reattachment } from './reattachment.ts';

export type Functions = ServiceClient<typeof FunctionService>;

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** A stream that is already open and begins at `from`; broken, it is taken up again by a watch. */
  readonly first?: AsyncIterable<StreamExecutionResult>;
  /** Absent while only `first` can tell. */
  readonly executionId?: string;
  /** The first sequence number wanted. */
  readonly from?: bigint;
  /** What holds on to the execution; asked for at the first loss. */
  readonly reattachmentTo: (executionId: string) => Reattachment;
}

/**
 * The events of one execution up to its result, each once, over as many connections as it takes. Rejects with the
 * server's error, or with that of the reattachment where it stays away.
 */
export async function* followExecution(
  functions: Functions,
  options: FollowOptions,
): AsyncGenerator<StreamExecutionResult, void, undefined> {
  const { signal, reattachmentTo } = options;
  let { executionId, first } = options;
  let next = options.from ?? 1n;
  let reattachment: Reattachment | undefined;
  for (;;) {
    try {
      const call = signal === undefined ? {} : { signal };
      const events =
        first ?? functions.watchExecution({ executionId: executionId ?? '', fromSequence: next }, call);
      first = undefined;
      for await (const event of events) {
        executionId = event.executionId;
        next = event.sequence + 1n;
        reattachment?.succeeded();
        yield event;
        if (event.isFinal) return;
      }
      // A watch that starts behind the result ends at once, as it should.
      if (executionId === undefined || (await isOver(functions, executionId, next))) return;
      reattachment ??= reattachmentTo(executionId);
      await reattachment.pause();
    } catch (error) {
      if (executionId === undefined) throw error;
      reattachment ??= reattachmentTo(executionId);
      await reattachment.afterLoss(error);
    }
  }
}

async function isOver(functions: Functions, executionId: string, next: bigint): Promise<boolean> {
  const { result, lastSequence } = await functions.getExecutionStatus({ executionId });
  return result?.isCompleted === true && next > lastSequence;
}
