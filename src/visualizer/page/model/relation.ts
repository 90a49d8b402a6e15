/** What an execution follows and what follows it: the model of `RelatedExecution`. */
import type { GetExecutionStatusResponseJson } from '../wire.ts';
import { type Status, statusOf } from './status.ts';

export interface Relation {
  readonly id: string;
  /** Empty for one that was deleted. */
  readonly task: string;
  readonly state: string;
  readonly status: Status;
  /** What has to become of the one that is followed, and what it gives, in words. */
  readonly terms: string;
}

export interface Relations {
  readonly dependencies: readonly Relation[];
  readonly dependants: readonly Relation[];
  /** The node tells no more of those than it does: there may be others. */
  readonly moreDependants: boolean;
}

/** As `GetExecutionStatus` says. */
const mostDependants = 100;

type RelatedJson = GetExecutionStatusResponseJson['dependencies'][number];

export function relationsOf({ dependencies, dependants }: GetExecutionStatusResponseJson): Relations {
  return {
    dependencies: dependencies.map(relationOf),
    dependants: dependants.map(relationOf),
    moreDependants: dependants.length >= mostDependants,
  };
}

function relationOf({ executionId, taskName, state, status, dependency }: RelatedJson): Relation {
  return {
    id: executionId,
    task: taskName,
    state,
    status: statusOf(status),
    terms: dependency === undefined ? '' : termsOf(dependency),
  };
}

function termsOf({
  condition,
  onFailure,
  asInput,
  asParameter,
}: NonNullable<RelatedJson['dependency']>): string {
  const words = [condition === 'DEPENDENCY_CONDITION_ENDED' ? 'has to end' : 'has to complete'];
  if (onFailure === 'DEPENDENCY_POLICY_RUN_ANYWAY') words.push('runs anyway where it does not');
  if (asInput) words.push('its output is the input');
  if (asParameter !== '') words.push(`its output is the parameter ${asParameter}`);
  return words.join('; ');
}
