import { waitForEnd } from '../client/wait.ts';
import type { ExecutionResult, WaitExecutionResponse } from '../server/gen/spearlet/function_pb.js';
import { LiveLine } from './live-line.ts';
import { LogStatus } from './log-status.ts';
import { reattachmentTo } from './reattach.ts';
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
  const { executionId, first, totalMs, callMs, signal } = options;
  const status = new LogStatus(first);
  const line = new LiveLine(session.shell, () => `${executionId} ${status.text(Date.now())}`);
  if (!session.json) line.start();
  try {
    // Each answer tells how it stands, to whoever looks on.
    const lookMs = session.shell.err.isTerminal && !session.json ? lookEveryMs : undefined;
    const budgets = [callMs, lookMs].filter((ms) => ms !== undefined);
    return await waitForEnd(session.functions, {
      executionId,
      ...(totalMs !== undefined && { totalMs }),
      ...(budgets.length > 0 && { callMs: Math.min(...budgets) }),
      ...(signal !== undefined && { signal }),
      reattachment: reattachmentTo(session, executionId, signal),
      answered: ({ result }) => {
        if (result !== undefined) status.takeResult(result, Date.now());
      },
    });
  } finally {
    await line.stop();
  }
}
