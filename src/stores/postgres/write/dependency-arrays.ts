import { type Dependency, dependencyEnd } from '../../../domain/dependency.ts';
import { encodeDependencies } from '../../sqlite/write/dependency-rows.ts';
import type { CommitEntry } from '../../store.ts';
import { plainArray, textArray } from './parameters.ts';

/** What an entry follows that brings its execution; undefined for nothing, and for one that is there already. */
export function followsAnew(
  { executionId, expectedLastSequence, record }: CommitEntry,
  isStaged: (executionId: string) => boolean,
): readonly Dependency[] | undefined {
  return expectedLastSequence === 0 || isStaged(executionId) ? record?.dependsOn : undefined;
}

/**
 * How each entry ends, what new ones follow and the ends that they fail for; then numbers of entries: that are blocked,
 * that wait for others no more, and that have ended and follow others.
 */
export function dependencyArrays(
  entries: readonly CommitEntry[],
  isStaged: (executionId: string) => boolean,
): string[] {
  const ends = entries.map(({ record }) => record && dependencyEnd(record));
  const followed = entries.flatMap((entry, index) =>
    encodeDependencies(followsAnew(entry, isStaged) ?? []).map((one) => ({ entry: index + 1, ...one })),
  );
  const numbers = (has: (entry: CommitEntry, end: string | undefined) => boolean): string =>
    plainArray(entries.flatMap((entry, index) => (has(entry, ends[index]) ? [index + 1] : [])));
  const isBlocked = ({ record }: CommitEntry, end: string | undefined): boolean =>
    record?.blocked === true && end === undefined;
  return [
    textArray(ends.map((end) => end ?? null)),
    plainArray(followed.map(({ entry }) => entry)),
    textArray(followed.map(({ executionId }) => executionId)),
    textArray(followed.map(({ failsFor }) => failsFor.join())),
    numbers(isBlocked),
    numbers(
      (entry, end) =>
        entry.record?.dependsOn !== undefined &&
        followsAnew(entry, isStaged) === undefined &&
        !isBlocked(entry, end),
    ),
    numbers(({ record }, end) => record?.dependsOn !== undefined && end !== undefined),
  ];
}
