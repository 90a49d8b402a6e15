import { notFound } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { type Scope, sees } from '../../domain/scope.ts';
import { executionId } from '../wire/fields.ts';

/**
 * The id that a request names, checked, of an execution in its scope. Rejects with not_found for any other, whether it
 * is there or not. Each handler that takes an id asks this first.
 */
export type SeenExecution = (scope: Scope, id: string) => Promise<string>;

/** Whose an execution is, of one that lives or that the store has. */
export interface ExecutionOwners {
  record(
    executionId: string,
  ): Promise<Pick<ExecutionRecord, 'tenant' | 'taskName' | 'executionId'> | undefined>;
}

export function seenExecutions(owners: ExecutionOwners): SeenExecution {
  return async (scope, id) => {
    const checked = executionId(id);
    const record = await owners.record(checked);
    if (record === undefined || !sees(scope, record)) throw notFound('execution', checked);
    return checked;
  };
}
