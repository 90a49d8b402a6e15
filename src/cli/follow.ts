import type { StreamExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { Reattachment } from './reattach.ts';
import type { Session } from './session.ts';

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** A stream that is already open and begins at `from`; broken, it is taken up again by a watch. */
  readonly first?: AsyncIterable<StreamExecutionResult>;
  /** Absent while only `first` can tell. */
  readonly executionId?: string;
  /** The first sequence number wanted. */
  readonly from?: bigint;
}

/**
 * The events of one execution up to its result, each once, over as many connections as it takes. Rejects with the
 * server's error, or with LostServerError where it stays away.
 */
export async function* followExecution(
  session: Session,
  options: FollowOptions,
): AsyncGenerator<StreamExecutionResult, void, undefined> {
  const { signal } = options;
  let { executionId, first } = options;
  let next = options.from ?? 1n;
  let reattachment: Reattachment | undefined;
  for (;;) {
    try {
      const call = signal === undefined ? {} : { signal };
      const events =
        first ??
        session.functions.watchExecution({ executionId: executionId ?? '', fromSequence: next }, call);
      first = undefined;
      for await (const event of events) {
        executionId = event.executionId;
        next = event.sequence + 1n;
        reattachment?.succeeded();
        yield event;
        if (event.isFinal) return;
      }
      // A watch that starts behind the result ends at once, as it should.
      if (executionId === undefined || (await isOver(session, executionId, next))) return;
      reattachment ??= new Reattachment(session, executionId, signal);
      await reattachment.pause();
    } catch (error) {
      if (executionId === undefined) throw error;
      reattachment ??= new Reattachment(session, executionId, signal);
      await reattachment.afterLoss(error);
    }
  }
}

async function isOver(session: Session, executionId: string, next: bigint): Promise<boolean> {
  const { result, lastSequence } = await session.functions.getExecutionStatus({ executionId });
  return result?.isCompleted === true && next > lastSequence;
}
