import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { ExecutionResult, WaitExecutionResponse } from '../server/gen/spearlet/function_pb.js';
import { LiveLine } from './live-line.ts';
import { LogStatus } from './log-status.ts';
import { Reattachment } from './reattach.ts';
import type { Session } from './session.ts';

interface WaitOptions {
  readonly executionId: string;
  /** How it stood when the wait began. */
  readonly first?: ExecutionResult;
  /** Milliseconds of the whole wait; absent means until the outcome. */
  readonly totalMs?: number;
  /** Milliseconds that one call may wait before the next takes over. */
  readonly callMs?: number;
  readonly signal?: AbortSignal;
}

const lookEveryMs = 1000;

/**
 * Waits for the outcome, over as many calls and connections as it takes. Resolves with the answer that has it, or
 * with the one at hand when `totalMs` is over.
 */
export async function waitForOutcome(session: Session, options: WaitOptions): Promise<WaitExecutionResponse> {
  const { executionId, first } = options;
  const status = new LogStatus(first);
  const line = new LiveLine(session.shell, () => `${executionId} ${status.text(Date.now())}`);
  if (!session.json) line.start();
  try {
    return await wait(session, options, status);
  } finally {
    await line.stop();
  }
}

async function wait(
  session: Session,
  { executionId, totalMs, callMs, signal }: WaitOptions,
  status: LogStatus,
): Promise<WaitExecutionResponse> {
  // Each answer tells how it stands, to whoever looks on.
  const lookMs = session.shell.err.isTerminal && !session.json ? lookEveryMs : undefined;
  const startedAt = performance.now();
  const reattachment = new Reattachment(session, executionId, signal);
  for (;;) {
    const left = totalMs === undefined ? undefined : totalMs - (performance.now() - startedAt);
    const budgets = [left, callMs, lookMs].filter((ms) => ms !== undefined);
    try {
      const answer = await session.functions.waitExecution(
        {
          executionId,
          ...(budgets.length > 0 && {
            waitBudget: durationFromMs(Math.max(1, Math.round(Math.min(...budgets)))),
          }),
        },
        signal === undefined ? {} : { signal },
      );
      reattachment.succeeded();
      if (answer.result !== undefined) status.takeResult(answer.result, Date.now());
      const isOver = totalMs !== undefined && performance.now() - startedAt >= totalMs;
      if (answer.result?.isCompleted === true || isOver) return answer;
      // Without a budget of its own the call came back because the server is going away.
      if (budgets.length === 0) await reattachment.pause();
    } catch (error) {
      await reattachment.afterLoss(error);
    }
  }
}
