/** Why a document does not become an execution here. */
import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { type Scope, sees } from '../../domain/scope.ts';
import type { RestoreOptions } from '../../domain/snapshot/port.ts';

export function executionExists(executionId: string): RequestError {
  return new RequestError(
    'already_exists',
    `${executionId} is here already; delete it first, or restore it under a new id (as_new)`,
    { reason: 'EXECUTION_EXISTS', metadata: { execution_id: executionId } },
  );
}

/** The owner is named where it is in scope. */
export function invocationTaken(
  invocationId: string,
  owner: Pick<ExecutionRecord, 'executionId' | 'tenant' | 'taskName'> | undefined,
  scope: Scope,
): RequestError {
  const named = owner !== undefined && sees(scope, owner) ? owner.executionId : undefined;
  const by = named === undefined ? '; restore it' : ` by ${named}; delete that first, or restore it`;
  return new RequestError('already_exists', `its invocation id is used here${by} under a new id (as_new)`, {
    reason: 'INVOCATION_ID_IN_USE',
    metadata: { ...(named !== undefined && { execution_id: named }), invocation_id: invocationId },
  });
}

/** An unfinished execution may go on twice only where somebody says so; nothing of one that has ended goes on. */
export function checkWishes(
  executionId: string,
  was: { readonly ended: boolean; readonly detached: boolean },
  { asNew, allowCopy }: RestoreOptions,
): void {
  const refuse = (why: string): RequestError =>
    new RequestError('failed_precondition', `${executionId} ${why}`, {
      reason: 'STATE_NOT_ALLOWED',
      metadata: { execution_id: executionId },
    });
  if (was.ended && asNew) {
    throw refuse(
      'has ended, and nothing of it would go on as a new one; restore it without as_new, as a record',
    );
  }
  if (was.ended || was.detached || asNew || allowCopy) return;
  throw refuse(
    'has not ended and was not moved, so it would go on twice; take the snapshot with detach, or restore it under a new id (as_new), or let both go on (allow_copy)',
  );
}

/** Values of variables that nobody has. */
export function valuesMissing(names: readonly string[]): RequestError {
  const list = [...new Set(names)].sort().join(', ');
  return new RequestError(
    'failed_precondition',
    `the snapshot leaves out the values of the environment variables ${list}; give each in options.environment, or take it with include_environment`,
    { reason: 'ENVIRONMENT_REDACTED', metadata: { variables: list } },
  );
}
