/** An alias of a task: a name for one of its revisions, or for several with a share of the calls each. */
import { invalidArgument, quote, RequestError } from '../errors.ts';
import { portion } from './portion.ts';

/** A revision, and how many of a hundred calls it gets. */
export interface AliasShare {
  readonly revision: number;
  readonly percent: number;
}

/** Where an alias was moved to. */
export interface AliasMove {
  readonly shares: readonly AliasShare[];
  /** Wall clock, milliseconds since the epoch. */
  readonly at: number;
  /** The principal that moved it. */
  readonly by: string;
}

export interface TaskAlias {
  readonly name: string;
  /** 1 for the first move, and one more with each. */
  readonly version: number;
  /** The present one, and before it at most nine that came before; the oldest first. */
  readonly moves: readonly [AliasMove, ...AliasMove[]];
}

/** Moves that an alias remembers: their revisions are kept. */
export const keptMoves = 10;
/** Aliases of one task. */
export const mostAliases = 20;
/** Revisions that have a share of one alias. */
export const mostShares = 10;
const all = 100;

export function sharesOf({ moves }: TaskAlias): readonly AliasShare[] {
  return (moves.at(-1) ?? moves[0]).shares;
}

export function moveOf({ moves }: TaskAlias): AliasMove {
  return moves.at(-1) ?? moves[0];
}

/** Throws invalid_argument for shares that are not of different revisions, or not a hundred in all. */
export function checkShares(field: string, shares: readonly AliasShare[]): readonly AliasShare[] {
  if (shares.length === 0 || shares.length > mostShares) {
    throw invalidArgument(field, `has ${shares.length} entries; allowed are 1 to ${mostShares}`);
  }
  const revisions = new Set<number>();
  for (const [index, { revision, percent }] of shares.entries()) {
    if (!Number.isInteger(percent) || percent < 1 || percent > all) {
      throw invalidArgument(
        `${field}[${index}].percent`,
        `is ${percent}; allowed are whole numbers of 1 to ${all}`,
      );
    }
    if (revisions.has(revision)) {
      throw invalidArgument(
        `${field}[${index}].revision`,
        `is ${revision} again; allowed is each revision once`,
      );
    }
    revisions.add(revision);
  }
  const sum = shares.reduce((total, { percent }) => total + percent, 0);
  if (sum !== all) throw invalidArgument(field, `have ${sum} percent in all; allowed are ${all}`);
  return shares;
}

/**
 * The revision that a call with this key gets: always the same one while the shares are the same, and as many of each
 * as their percents say. `salt` lets different aliases choose apart from each other. A key stays with its revision
 * where another's share grows at its neighbour's cost, as far as it can.
 */
export function chosenRevision(shares: readonly AliasShare[], salt: string, key: string): number {
  const first = shares[0] as AliasShare;
  if (shares.length === 1) return first.revision;
  const place = portion(`${salt}\0${key}`) * all;
  let end = 0;
  for (const { revision, percent } of shares) {
    end += percent;
    if (place < end) return revision;
  }
  return first.revision;
}

/** The alias after one more move. */
export function moved(name: string, before: TaskAlias | undefined, move: AliasMove): TaskAlias {
  const moves = [...(before?.moves ?? []), move].slice(-keptMoves) as [AliasMove, ...AliasMove[]];
  return { name, version: (before?.version ?? 0) + 1, moves };
}

export function sameShares(a: readonly AliasShare[], b: readonly AliasShare[]): boolean {
  return sharesText(a) === sharesText(b);
}

/** Such as `3`, or `3:90,4:10`. */
export function sharesText(shares: readonly AliasShare[]): string {
  const [first] = shares;
  if (first !== undefined && shares.length === 1) return String(first.revision);
  return shares.map(({ revision, percent }) => `${revision}:${percent}`).join(',');
}

/** `3`, or `3:90,4:10`. Throws invalid_argument that names the field; `checkShares` says whether they fit together. */
export function sharesFrom(field: string, text: string): readonly AliasShare[] {
  const parts = text.split(',').map((part) => /^([1-9][0-9]{0,9})(?::([0-9]{1,3}))?$/.exec(part.trim()));
  const isAlone = parts.length === 1;
  const shares = parts.map((part) => ({
    revision: Number(part?.[1]),
    percent: Number(part?.[2] ?? (isAlone ? all : Number.NaN)),
  }));
  if (parts.some((part) => part === null) || shares.some(({ percent }) => Number.isNaN(percent))) {
    throw invalidArgument(
      field,
      `is ${quote(text)}; allowed are REVISION, and REVISION:PERCENT,REVISION:PERCENT, such as 4 and 3:90,4:10`,
    );
  }
  return shares;
}

/** Throws aborted where the alias is not the one that whoever moves it has seen. 0 expects that there is none. */
export function assertVersion(
  taskId: string,
  name: string,
  alias: TaskAlias | undefined,
  expected: number | undefined,
): void {
  const version = alias?.version ?? 0;
  if (expected === undefined || expected === version) return;
  const by = alias === undefined ? '' : `, moved to ${sharesText(sharesOf(alias))} by ${moveOf(alias).by}`;
  throw new RequestError(
    'aborted',
    `expected_version: is ${expected}, and the alias ${name} has version ${version} by now${by}; look at it again before you move it`,
    { reason: 'ALIAS_CHANGED', metadata: { task_id: taskId, alias: name, version: String(version) } },
  );
}
