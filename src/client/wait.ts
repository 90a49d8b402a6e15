import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { WaitExecutionResponse } from '../server/gen/spearlet/function_pb.js';
import type { Functions } from './follow.ts';
import type { Reattachment } from './reattachment.ts';

export interface WaitOptions {
  readonly executionId: string;
  /** Milliseconds of the whole wait; absent means until the outcome. */
  readonly totalMs?: number;
  /** Milliseconds that one call may wait before the next takes over. */
  readonly callMs?: number;
  readonly signal?: AbortSignal;
  readonly reattachment: Reattachment;
  /** Told of each answer, also of those before the outcome. */
  readonly answered?: (answer: WaitExecutionResponse) => void;
}

/**
 * Waits for the outcome, over as many calls and connections as it takes. Resolves with the answer that has it, or
 * with the one at hand when `totalMs` is over.
 */
export async function waitForEnd(functions: Functions, options: WaitOptions): Promise<WaitExecutionResponse> {
  const { executionId, totalMs, callMs, signal, reattachment, answered } = options;
  const startedAt = performance.now();
  for (;;) {
    const left = totalMs === undefined ? undefined : totalMs - (performance.now() - startedAt);
    const budgets = [left, callMs].filter((ms) => ms !== undefined);
    try {
      const answer = await functions.waitExecution(
        {
          executionId,
          ...(budgets.length > 0 && {
            waitBudget: durationFromMs(Math.max(1, Math.round(Math.min(...budgets)))),
          }),
        },
        signal === undefined ? {} : { signal },
      );
      reattachment.succeeded();
      answered?.(answer);
      const isOver = totalMs !== undefined && performance.now() - startedAt >= totalMs;
      if (answer.result?.isCompleted === true || isOver) return answer;
      // Without a budget of its own the call came back because the server is going away.
      if (budgets.length === 0) await reattachment.pause();
    } catch (error) {
      await reattachment.afterLoss(error);
    }
  }
}
