import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { gatesOf, keyWords, whenFullOf } from '../../domain/scheduling/task-gates.ts';
import type { Task } from '../../domain/task.ts';
import type { LiveExecutions } from './live-executions.ts';

const retryAfterMs = 1000;

/** Throws resource_exhausted where as many have not ended with a value of a key as its task refuses beyond. */
export function checkKeys(task: Task, record: ExecutionRecord, executions: LiveExecutions): void {
  for (const use of gatesOf(task, record)) {
    if (use.kind !== 'concurrency' || whenFullOf(task.definition, use) !== 'refuse') continue;
    const live = executions.withKey(use.meter);
    if (live.size < use.limit) continue;
    throw new RequestError(
      'resource_exhausted',
      `${live.size} executions with ${keyWords(use)} have not ended, allowed are ${use.limit} (concurrency, when_full: refuse)`,
      { reason: 'CONCURRENCY_FULL', quota: `concurrency ${use.key}`, retryAfterMs },
    );
  }
}
