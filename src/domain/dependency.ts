/** What an execution waits for before it may be queued: other executions, and how they have to end. Pure. */
import { type ExecutionRecord, isTerminal } from './execution.ts';

/** Dependencies of one execution at most: each is in its record. */
export const mostDependencies = 1000;

export interface Dependency {
  readonly executionId: string;
  /** As its batch names it; absent for one that is not of the same batch, or has no name. */
  readonly name?: string;
  /** Absent means completed. */
  readonly condition?: 'ended';
  /** Absent means fail. */
  readonly onFailure?: 'runAnyway';
  /** Where its output goes: to the standard input, or to the parameter of that name; absent means nowhere. */
  readonly output?: 'input' | { readonly parameter: string };
}

/** How a dependency ended, as far as those that depend on it care. One that was moved goes on elsewhere. */
export type DependencyEnd = 'completed' | 'failed' | 'moved';

/** Undefined for one that has not ended. */
export function dependencyEnd({
  status,
  outcome,
}: Pick<ExecutionRecord, 'status' | 'outcome'>): DependencyEnd | undefined {
  if (!isTerminal(status)) return undefined;
  if (status === 'completed') return 'completed';
  return outcome !== undefined && outcome.status !== 'completed' && outcome.code === 'MOVED'
    ? 'moved'
    : 'failed';
}

/** The dependency did not become what it has to. */
export function isUnmet({ condition }: Pick<Dependency, 'condition'>, end: DependencyEnd): boolean {
  return end === 'moved' || (end === 'failed' && condition !== 'ended');
}

/** Whoever depends on it fails for that end. */
export function failsDependant(
  dependency: Pick<Dependency, 'condition' | 'onFailure'>,
  end: DependencyEnd,
): boolean {
  return dependency.onFailure !== 'runAnyway' && isUnmet(dependency, end);
}

/** What an execution that is blocked waits for yet. */
export interface BlockedState {
  /** Dependencies that have not ended. */
  readonly open: number;
  /** The first of its dependencies that it fails for. */
  readonly failedBy?: string;
}

/** It waits no more: all have ended, or one has that it fails for. */
export function isReleased({ open, failedBy }: BlockedState): boolean {
  return open === 0 || failedBy !== undefined;
}

/** It is given the output of what it follows. */
export function takesOutput({ dependsOn }: Pick<ExecutionRecord, 'dependsOn'>): boolean {
  return dependsOn?.some(({ output }) => output !== undefined) === true;
}

/** Why an execution fails for a dependency, in words. */
export function dependencyFailure(
  { name, executionId, condition }: Dependency,
  record: Pick<ExecutionRecord, 'status' | 'outcome'> | undefined,
): string {
  const which = name === undefined ? executionId : `${name} (${executionId})`;
  const wanted = condition === 'ended' ? 'to end here' : 'to complete';
  const outcome = record?.outcome;
  if (outcome === undefined || outcome.status === 'completed')
    return `it depends on ${which} ${wanted}, which it did not`;
  const message = outcome.message.slice(0, longestQuote);
  return `it depends on ${which} ${wanted}, which ended ${record?.status} with ${outcome.code}: ${message}`;
}

/** Characters of the message of a dependency that are told of it. */
const longestQuote = 300;
