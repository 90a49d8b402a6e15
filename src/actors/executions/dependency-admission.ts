/** Finds what a request follows, and refuses what cannot be followed. */
import { type Dependency, dependencyEnd, failsDependant } from '../../domain/dependency.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { type Scope, sees, tenantOf, wholeNode } from '../../domain/scope.ts';
import type { Store } from '../../stores/store.ts';
import type { LiveExecutions } from './live-executions.ts';

export interface DependencyLookup {
  readonly store: Pick<Store, 'execution'>;
  readonly executions: LiveExecutions;
}

/** Where a request says it. */
type FieldOf = (index: number) => string;

const inRequest: FieldOf = (index) => `depends_on[${index}].execution_id`;

/**
 * Whether one that follows these has to wait, or to fail, for any of them. Rejects with not_found for one that is not
 * there, or not of the tenant or not in the scope of who asks, and with failed_precondition for one whose output is asked
 * for and not kept.
 */
export async function isBlockedBy(
  { store, executions }: DependencyLookup,
  dependencies: readonly Dependency[],
  { tenant, scope = wholeNode }: { readonly tenant: string; readonly scope?: Scope | undefined },
  fieldOf = inRequest,
): Promise<boolean> {
  let isBlocked = false;
  for (const [index, dependency] of dependencies.entries()) {
    const { executionId } = dependency;
    const log = executions.get(executionId)?.log;
    const record = log === undefined ? await store.execution(executionId) : await log.admitted();
    if (record === undefined || tenantOf(record) !== tenant || !sees(scope, record)) {
      throw unknownDependency(fieldOf(index), executionId);
    }
    assertOutputKept(fieldOf(index), dependency, record);
    // What has ended and is not durable yet is waited for.
    const durable = log === undefined ? record : (log.committed ?? record);
    const end = dependencyEnd(durable);
    if (end === undefined || failsDependant(dependency, end)) isBlocked = true;
  }
  return isBlocked;
}

/** Of one that was not there, or that is gone since it was looked for. */
export function unknownDependency(field: string, executionId: string): RequestError {
  return new RequestError(
    'not_found',
    `${field}: there is no execution ${quote(executionId)}; allowed are executions of the same tenant that are kept`,
    {
      reason: 'EXECUTION_NOT_FOUND',
      violations: [{ field, description: `there is no execution ${quote(executionId)}` }],
      metadata: { execution: executionId },
    },
  );
}

function assertOutputKept(field: string, { output, executionId }: Dependency, record: ExecutionRecord): void {
  if (output === undefined || (record.oldestSequence ?? 1) === 1) return;
  if (record.outcome?.output !== undefined) return;
  throw new RequestError(
    'failed_precondition',
    `${field}: the output of ${executionId} is not kept any more, and it was to be taken`,
    { reason: 'LOG_NOT_KEPT', metadata: { execution_id: executionId } },
  );
}
