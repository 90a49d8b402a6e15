import { didYouMean } from '../../domain/did-you-mean.ts';
import { invalidArgument, quote, RequestError } from '../../domain/errors.ts';
import { LruMap } from '../../domain/lru-map.ts';
import {
  type AliasShare,
  assertVersion,
  checkShares,
  chosenRevision,
  mostAliases,
  moved,
  sameShares,
  sharesOf,
  type TaskAlias,
} from '../../domain/revisions/alias.ts';
import type { AliasWish, Chosen, MovedAlias, Revisions } from '../../domain/revisions/port.ts';
import {
  checkAlias,
  liveAlias,
  newestWord,
  type RevisionWish,
  taskReference,
} from '../../domain/revisions/reference.ts';
import type { Scope } from '../../domain/scope.ts';
import { isOf, type Task } from '../../domain/task.ts';
import type { Store } from '../../stores/store.ts';

interface RevisionCatalogOptions {
  readonly store: Store;
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** A key for a call that brings none. */
  newKey(): string;
  /** The newest revision of a task by id or name. Rejects with not_found. */
  get(scope: Scope, idOrName: string): Promise<Task>;
  /** What changes tasks goes one after the other. */
  inTurn<Result>(work: () => Promise<Result>): Promise<Result>;
  /** What the plain name of a task goes to has changed. */
  serves(now: readonly Task[], before: readonly Task[]): void;
}

const mostCached = 1000;
const everything = 100;

/** Revisions of tasks beside the newest, and the aliases that name them, with those in use kept in memory. */
export class RevisionCatalog implements Revisions {
  readonly #options: RevisionCatalogOptions;
  readonly #aliases = new LruMap<string, Promise<readonly TaskAlias[]>>(mostCached);
  readonly #revisions = new LruMap<string, Task>(mostCached);

  constructor(options: RevisionCatalogOptions) {
    this.#options = options;
  }

  async choose(scope: Scope, reference: string, key: string): Promise<Chosen> {
    const { task: name, revision: wish } = taskReference('task', reference);
    const newest = await this.#options.get(scope, name);
    if (wish === newestWord) return { task: newest };
    if (typeof wish === 'number') return { task: await this.#at(newest, wish) };
    const aliases = await this.aliases(newest);
    const found = aliases.find((each) => each.name === (wish?.alias ?? liveAlias));
    if (found === undefined) {
      if (wish === undefined) return { task: newest };
      throw noAlias(newest, wish.alias, aliases);
    }
    const salt = `${newest.taskId}/${found.name}`;
    const revision = chosenRevision(sharesOf(found), salt, key === '' ? this.#options.newKey() : key);
    return { task: await this.#at(newest, revision), alias: found.name };
  }

  async one(scope: Scope, name: string, wish: RevisionWish): Promise<Task> {
    const newest = await this.#options.get(scope, name);
    if (wish === undefined || wish === newestWord) return newest;
    if (typeof wish === 'number') return this.#at(newest, wish);
    const aliases = await this.aliases(newest);
    const found = aliases.find((each) => each.name === wish.alias);
    if (found === undefined) throw noAlias(newest, wish.alias, aliases);
    const [largest] = [...sharesOf(found)].sort((a, b) => b.percent - a.percent);
    return this.#at(newest, largest?.revision ?? newest.revision);
  }

  aliases({ taskId }: Task): Promise<readonly TaskAlias[]> {
    let aliases = this.#aliases.get(taskId);
    if (aliases === undefined) {
      const reading = this.#options.store.taskAliases(taskId);
      aliases = reading;
      this.#aliases.set(taskId, reading);
      // What could not be read may be read later.
      reading.catch(() => this.#aliases.get(taskId) === reading && this.#aliases.delete(taskId));
    }
    return aliases;
  }

  async list(task: Task, before: number, limit: number): Promise<readonly Task[]> {
    const found = await this.#options.store.taskRevisions(task.taskId, before, limit);
    return found.filter((each) => isSame(each, task));
  }

  served(newest: Task, aliases: readonly TaskAlias[]): readonly AliasShare[] {
    const live = aliases.find(({ name }) => name === liveAlias);
    return live === undefined ? [{ revision: newest.revision, percent: everything }] : sharesOf(live);
  }

  /** The revisions that the plain name of a task goes to; those that cannot be read are left out. */
  async servedTasks(newest: Task): Promise<readonly Task[]> {
    const shares = this.served(newest, await this.aliases(newest));
    const tasks = await Promise.all(
      shares.map(({ revision }) => this.#at(newest, revision).catch(() => undefined)),
    );
    return tasks.filter((task) => task !== undefined);
  }

  /** Another node has changed a task, or any. */
  changed(taskId: string | undefined): void {
    if (taskId === undefined) this.#aliases.clear();
    else this.#aliases.delete(taskId);
    this.#revisions.clear();
  }

  /** The task is deleted. */
  gone({ taskId }: Task): void {
    this.#aliases.delete(taskId);
  }

  remove(scope: Scope, name: string, revision: number): Promise<Task> {
    const { inTurn, get, store } = this.#options;
    return inTurn(async () => {
      const newest = await get(scope, name);
      if (revision === newest.revision) {
        throw inUse(newest, revision, 'it is the newest; register another first, or delete the task');
      }
      await this.#at(newest, revision);
      const naming = (await this.aliases(newest)).find((alias) =>
        sharesOf(alias).some((share) => share.revision === revision),
      );
      if (naming !== undefined) throw inUse(newest, revision, `the alias ${naming.name} names it`);
      if (!(await store.deleteRevision(newest.taskId, revision))) {
        throw inUse(newest, revision, 'executions have it, which could not go on or be run again without it');
      }
      this.#revisions.delete(keyOf(newest, revision));
      return newest;
    });
  }

  set(scope: Scope, wish: AliasWish, shares: readonly AliasShare[]): Promise<MovedAlias> {
    checkAlias('alias', wish.alias);
    checkShares('shares', shares);
    return this.#options.inTurn(async () => {
      const task = await this.#options.get(scope, wish.task);
      return this.#move(task, wish, await this.#versioned(task, wish), shares);
    });
  }

  rollback(scope: Scope, wish: AliasWish, revision: number | undefined): Promise<MovedAlias> {
    checkAlias('alias', wish.alias);
    return this.#options.inTurn(async () => {
      const task = await this.#options.get(scope, wish.task);
      const before = await this.#versioned(task, wish);
      const to = revision ?? (before === undefined ? await this.#previous(task) : undefined);
      const shares =
        to === undefined ? before?.moves.at(-2)?.shares : [{ revision: to, percent: everything }];
      if (shares === undefined) {
        throw nowhere(
          task,
          `the alias ${wish.alias} was nowhere before; allowed is a revision to move it to`,
        );
      }
      return this.#move(task, wish, before, shares);
    });
  }

  forget(
    scope: Scope,
    wish: AliasWish,
  ): Promise<{ readonly task: Task; readonly alias: TaskAlias | undefined }> {
    checkAlias('alias', wish.alias);
    return this.#options.inTurn(async () => {
      const task = await this.#options.get(scope, wish.task);
      const alias = await this.#versioned(task, wish);
      if (alias !== undefined) await this.#save(task, wish.alias, undefined);
      return { task, alias };
    });
  }

  async #versioned(task: Task, { alias: name, expectedVersion }: AliasWish): Promise<TaskAlias | undefined> {
    const alias = (await this.aliases(task)).find((each) => each.name === name);
    assertVersion(task.taskId, name, alias, expectedVersion);
    return alias;
  }

  async #move(
    task: Task,
    { alias: name, by }: AliasWish,
    before: TaskAlias | undefined,
    shares: readonly AliasShare[],
  ): Promise<MovedAlias> {
    for (const { revision } of shares) await this.#at(task, revision);
    if (before !== undefined && sameShares(sharesOf(before), shares)) return { task, alias: before, before };
    const { length } = await this.aliases(task);
    if (before === undefined && length >= mostAliases) {
      throw invalidArgument('alias', `is one more than the task may have; allowed are ${mostAliases}`);
    }
    const alias = moved(name, before, { shares, at: Math.round(this.#options.now()), by });
    await this.#save(task, name, alias);
    return { task, alias, before };
  }

  async #save(task: Task, name: string, alias: TaskAlias | undefined): Promise<void> {
    const { store, serves } = this.#options;
    const others = (await this.aliases(task)).filter((each) => each.name !== name);
    const before = await this.servedTasks(task);
    await store.saveAlias(task.taskId, name, alias);
    const all = alias === undefined ? others : [...others, alias];
    const sorted = all.sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#aliases.set(task.taskId, Promise.resolve(sorted));
    if (name === liveAlias) serves(await this.servedTasks(task), before);
  }

  async #previous(task: Task): Promise<number> {
    const [previous] = await this.list(task, task.revision, 1);
    if (previous === undefined) {
      throw nowhere(task, 'no revision before the newest is kept; allowed is a revision to move it to');
    }
    return previous.revision;
  }

  async #at(newest: Task, revision: number): Promise<Task> {
    if (revision === newest.revision) return newest;
    const key = keyOf(newest, revision);
    let task = this.#revisions.get(key);
    if (task === undefined) {
      task = await this.#options.store.taskRevision(newest.taskId, revision);
      if (task === undefined || !isSame(task, newest)) throw noRevision(newest, revision);
      this.#revisions.set(key, task);
    }
    return task;
  }
}

/** What has the same id may have come with a document of somebody else's. */
function isSame(task: Task, newest: Task): boolean {
  const { tenant, definition } = newest;
  return isOf(task, { ...(tenant !== undefined && { tenant }), taskName: definition.name });
}

function keyOf({ taskId }: Task, revision: number): string {
  return `${taskId}@${revision}`;
}

function noRevision({ definition: { name }, revision: newest }: Task, revision: number): RequestError {
  const most = revision > newest ? `; the newest is ${newest}` : ', or it is not kept any more';
  return new RequestError('not_found', `the task ${quote(name)} has no revision ${revision}${most}`, {
    reason: 'REVISION_NOT_FOUND',
    metadata: { task: name, revision: String(revision) },
  });
}

function noAlias({ definition: { name } }: Task, alias: string, aliases: readonly TaskAlias[]): RequestError {
  const guess = didYouMean(
    alias,
    aliases.map((each) => each.name),
  );
  const hint = guess === undefined ? '' : `; did you mean ${quote(guess)}?`;
  return new RequestError('not_found', `the task ${quote(name)} has no alias ${quote(alias)}${hint}`, {
    reason: 'ALIAS_NOT_FOUND',
    metadata: { task: name, alias },
  });
}

function inUse({ definition: { name } }: Task, revision: number, why: string): RequestError {
  return new RequestError('failed_precondition', `revision ${revision} of ${quote(name)} is in use: ${why}`, {
    reason: 'REVISION_IN_USE',
    metadata: { task: name, revision: String(revision) },
  });
}

function nowhere({ definition: { name } }: Task, why: string): RequestError {
  return new RequestError('failed_precondition', `${quote(name)} cannot be rolled back: ${why}`, {
    reason: 'NOTHING_TO_ROLL_BACK_TO',
    metadata: { task: name },
  });
}
