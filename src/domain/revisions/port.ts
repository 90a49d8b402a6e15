import type { Scope } from '../scope.ts';
import type { Task } from '../task.ts';
import type { AliasShare, TaskAlias } from './alias.ts';
import type { RevisionWish } from './reference.ts';

/** The revision of a task that a call gets. */
export interface Chosen {
  readonly task: Task;
  /** The alias that it was chosen by; absent where it was chosen by none. */
  readonly alias?: string;
}

/** A move of an alias that somebody asks for. */
export interface AliasWish {
  readonly task: string;
  readonly alias: string;
  /** 0 expects that there is none; absent expects nothing. */
  readonly expectedVersion: number | undefined;
  /** The principal that asks. */
  readonly by: string;
}

export interface MovedAlias {
  readonly task: Task;
  readonly alias: TaskAlias;
  readonly before: TaskAlias | undefined;
}

/**
 * The revisions of tasks and their aliases. A task is named by id or name; what is out of a scope is not there. Each
 * rejects with a RequestError: invalid_argument, not_found; the moves with aborted for another version than is expected.
 */
export interface Revisions {
  /**
   * What `NAME`, `NAME@3`, `NAME@ALIAS` or `NAME@newest` means for a call with this key, its invocation id; empty for a
   * call that is like no other.
   */
  choose(scope: Scope, reference: string, key: string): Promise<Chosen>;
  /** The revision that is meant, of an alias the one with the largest share; without a wish the newest. */
  one(scope: Scope, task: string, wish: RevisionWish): Promise<Task>;
  /** By name. */
  aliases(task: Task): Promise<readonly TaskAlias[]>;
  /** The newest first, at most `limit` of those before `before`. */
  list(task: Task, before: number, limit: number): Promise<readonly Task[]>;
  /** Of a hundred calls by the plain name of a task with this newest revision, how many a revision gets. */
  served(newest: Task, aliases: readonly TaskAlias[]): readonly AliasShare[];
  /** Forgets a revision. Rejects with failed_precondition for one that is in use. */
  remove(scope: Scope, task: string, revision: number): Promise<Task>;
  set(scope: Scope, wish: AliasWish, shares: readonly AliasShare[]): Promise<MovedAlias>;
  /** Without a revision back to where it was before its last move. Rejects with failed_precondition where it was nowhere. */
  rollback(scope: Scope, wish: AliasWish, revision: number | undefined): Promise<MovedAlias>;
  /** Resolves with what there was. */
  forget(
    scope: Scope,
    wish: AliasWish,
  ): Promise<{ readonly task: Task; readonly alias: TaskAlias | undefined }>;
}
