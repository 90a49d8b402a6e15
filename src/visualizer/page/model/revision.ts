/** What a task was, and what its name goes to: the models of `Revision` and `TaskAlias`. */
import type { CompareRevisionsResponseJson, ListRevisionsResponseJson } from '../wire.ts';
import { instantOf } from './scalar.ts';

export interface Revision {
  readonly revision: number;
  readonly registeredAt: number | undefined;
  /** Paths of what differs from the one before it. */
  readonly changed: readonly string[];
  /** Hex SHA-256 of its artifact. */
  readonly artifact: string;
  /** Of a hundred calls by the plain name. */
  readonly percent: number;
}

interface AliasShare {
  readonly revision: number;
  readonly percent: number;
}

interface AliasMove {
  readonly shares: readonly AliasShare[];
  readonly at: number | undefined;
  readonly by: string;
}

export interface TaskAlias {
  readonly name: string;
  readonly shares: readonly AliasShare[];
  readonly version: number;
  /** The newest first. */
  readonly moves: readonly AliasMove[];
}

export interface Revisions {
  readonly taskId: string;
  readonly taskName: string;
  /** The newest first. */
  readonly revisions: readonly Revision[];
  readonly aliases: readonly TaskAlias[];
}

export interface RevisionDifference {
  readonly from: number;
  readonly to: number;
  /** Values as JSON; empty where there is none. */
  readonly changes: readonly { readonly path: string; readonly before: string; readonly after: string }[];
}

/** What the plain name of a task goes to. */
export const liveAlias = 'live';

export function revisionsOf(json: ListRevisionsResponseJson): Revisions {
  return {
    taskId: json.taskId,
    taskName: json.taskName,
    revisions: json.revisions.map(({ revision, registeredAt, changed, artifactSha256, percent }) => ({
      ...{ revision, changed, percent },
      registeredAt: instantOf(registeredAt),
      artifact: artifactSha256,
    })),
    aliases: json.aliases.map(({ name, shares, version, moves }) => ({
      ...{ name, version },
      shares: shares.map(({ revision, percent }) => ({ revision, percent })),
      moves: moves.map((move) => ({
        shares: move.shares,
        at: instantOf(move.time),
        by: move.principal,
      })),
    })),
  };
}

export function differenceOf({ from, to, changes }: CompareRevisionsResponseJson): RevisionDifference {
  return { from, to, changes };
}

/** `3` for all calls, and `3:90,4:10` for shares. */
export function sharesText(shares: readonly AliasShare[]): string {
  const [first] = shares;
  if (shares.length === 1 && first !== undefined) return String(first.revision);
  return shares.map(({ revision, percent }) => `${revision}:${percent}`).join(',');
}

/** The shares that a text names, or what is wrong with it. `newest` is the number that it stands for. */
export function sharesFrom(
  text: string,
  newest: number,
): { readonly shares: readonly AliasShare[] } | { readonly fault: string } {
  const said = text.replaceAll(/\s+/g, '').replaceAll('newest', String(newest));
  if (/^\d{1,9}$/.test(said)) return { shares: [{ revision: Number(said), percent: 100 }] };
  const parts = said.split(',').map((part) => /^(\d{1,9}):(\d{1,3})$/.exec(part));
  const shares = parts.flatMap((part) =>
    part === null ? [] : [{ revision: Number(part[1]), percent: Number(part[2]) }],
  );
  if (shares.length < parts.length) {
    return { fault: `shares are ${JSON.stringify(text)}; allowed are such as 3, newest and 3:90,4:10` };
  }
  return { shares };
}
