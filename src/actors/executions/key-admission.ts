import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { ConcurrencyUse } from '../../domain/scheduling/gate.ts';
import { gatesOf, hasToBeKnown, keyWords } from '../../domain/scheduling/task-gates.ts';
import type { LiveExecutions } from './live-executions.ts';

const retryAfterMs = 1000;

/** Throws resource_exhausted where as many have not ended with a value of a key as its task refuses beyond. */
export function checkKeys(record: ExecutionRecord, executions: LiveExecutions): void {
  if (!hasToBeKnown(record)) return;
  const { gates = [] } = record;
  for (const [index, use] of gatesOf(record).entries()) {
    const gate = gates[index];
    if (
      use.kind !== 'concurrency' ||
      gate === undefined ||
      !('whenFull' in gate) ||
      gate.whenFull !== 'refuse'
    )
      continue;
    const live = executions.withKey(use.meter);
    if (live.size >= use.limit) throw keyFull(use, live.size);
  }
}

/** So many with the value of a key have not ended. */
export function keyFull(use: ConcurrencyUse, count: number): RequestError {
  return new RequestError(
    'resource_exhausted',
    `${count} executions with ${keyWords(use)} have not ended, allowed are ${use.limit} (concurrency, when_full: refuse)`,
    { reason: 'CONCURRENCY_FULL', quota: `concurrency ${use.key}`, retryAfterMs },
  );
}
