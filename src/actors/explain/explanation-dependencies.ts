/** What an execution waits for that follows others, in words. Pure. */
import { type Dependency, dependencyEnd, isUnmet } from '../../domain/dependency.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';

/** A dependency, and its record where the caller may see it and it is there. */
export interface ShownDependency {
  readonly dependency: Dependency;
  readonly record: ExecutionRecord | undefined;
}

/** Lines beyond which the rest is counted. */
const mostLines = 20;

export interface DependencyWords {
  readonly sentence: string;
  readonly details: readonly string[];
}

/** `who` begins the sentence. */
export function dependencyWords(who: string, shown: readonly ShownDependency[]): DependencyWords {
  const open = shown.filter(({ record }) => record !== undefined && dependencyEnd(record) === undefined);
  if (open.length === 0)
    return { sentence: `${who} is about to go on: all that it depends on has ended.`, details: [] };
  const [first] = open;
  const what =
    open.length === 1 && first !== undefined
      ? lineOf(first)
      : `${open.length} of the ${shown.length} executions that it depends on`;
  const lines = open.slice(0, mostLines).map((each) => `it depends on ${lineOf(each)}`);
  const rest = open.length - lines.length;
  const met = shown.length - open.length;
  return {
    sentence: `${who} waits for ${what}.`,
    details: [
      ...(open.length === 1 ? [] : lines),
      ...(rest > 0 ? [`and ${rest} more`] : []),
      ...(met > 0
        ? [`${met} of the ${shown.length} that it depends on ${met === 1 ? 'has' : 'have'} ended`]
        : []),
      ...unmetLines(shown),
    ],
  };
}

/** Those that did not end as they have to, and in spite of which it runs. */
function unmetLines(shown: readonly ShownDependency[]): string[] {
  const unmet = shown.filter(({ dependency, record }) => {
    const end = record === undefined ? undefined : dependencyEnd(record);
    return end !== undefined && isUnmet(dependency, end);
  });
  return unmet.slice(0, mostLines).map((each) => `${lineOf(each)}; it runs anyway (on_failure)`);
}

function lineOf({ dependency, record }: ShownDependency): string {
  const { name, executionId, condition } = dependency;
  const which = name === undefined ? executionId : `${name} (${executionId})`;
  const wanted = condition === 'ended' ? 'which has to end' : 'which has to complete';
  return record === undefined ? `${which}, ${wanted}` : `${which}, ${wanted} and is ${record.state}`;
}
