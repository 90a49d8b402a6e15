import { LruMap } from '../../domain/lru-map.ts';
import { RetryBudget } from '../../domain/retry-budget.ts';
import { retryTime } from '../../machines/ending.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import type { LiveExecution } from './live-execution.ts';

type AttemptEnded = Extract<ExecutionEvent, { readonly type: 'attemptEnded' }>;

/** Tasks whose budgets are kept; what is forgotten begins anew. */
const maxTasks = 10_000;

/** The retry budgets of tasks. They begin anew with the node. */
export class RetryBudgets {
  readonly #budgets = new LruMap<string, RetryBudget>(maxTasks);

  began({ task }: LiveExecution, attempt: number): void {
    const { budget } = task.definition.retry;
    if (budget !== undefined && attempt === 1) this.#of(task.taskId).began(budget);
  }

  /** The end of an attempt, as its chart is to hear of it. */
  judged({ task, snapshot }: LiveExecution, ended: AttemptEnded): AttemptEnded {
    const { budget, onExhausted = 'fail' } = task.definition.retry;
    const { end, at, random } = ended;
    if (budget === undefined || snapshot === undefined || end.kind === 'completed') return ended;
    const { context } = snapshot;
    const code = context.cause?.code ?? (end.kind === 'failed' ? end.code : 'INSTANCE_LOST');
    // It stands still, or is stopped to be held, and is no try.
    if (context.heldSince !== null || retryTime(context, code, at, random) === null) return ended;
    return this.#of(task.taskId).take() ? ended : { ...ended, overBudget: onExhausted };
  }

  #of(taskId: string): RetryBudget {
    let budget = this.#budgets.get(taskId);
    if (budget === undefined) {
      budget = new RetryBudget();
      this.#budgets.set(taskId, budget);
    }
    return budget;
  }
}
