import type { CommitEntry, CommitResult, OrderChanges } from '../../src/stores/store.ts';
import { createMemoryStore, type MemoryStore } from './memory-store/store.ts';

/** A memory store that remembers its commits and can be made to hold them back. */
export interface WatchedStore {
  readonly store: MemoryStore;
  /** The entries of each commit that went through. */
  readonly commits: (readonly CommitEntry[])[];
  /** Commits asked for, whatever became of them. */
  readonly asked: number;
  /** Commits from now on wait. */
  hold(): void;
  /** Commits from now on are made, and whoever asked for them waits to hear so. */
  holdAnswers(): void;
  /** What was held goes on, and no more is. */
  release(): void;
  /** Its node is gone: no commit of it goes through any more, or is heard of. What the store has is for the next node. */
  cut(): MemoryStore;
}

/** Over `kept`, what an earlier node has left. */
export function watchedStore(kept: MemoryStore = createMemoryStore()): WatchedStore {
  const commits: (readonly CommitEntry[])[] = [];
  let gate: PromiseWithResolvers<void> | undefined;
  let answers: PromiseWithResolvers<void> | undefined;
  let asked = 0;
  let gone = false;
  const commit = async (entries: readonly CommitEntry[]): Promise<CommitResult[]> => {
    asked++;
    await gate?.promise;
    if (gone) return new Promise(() => {});
    const results = await kept.commit(entries);
    commits.push(entries);
    await answers?.promise;
    return results;
  };
  const saveOrder = (changes: OrderChanges): Promise<number> =>
    gone ? new Promise(() => {}) : kept.saveOrder(changes);
  const store = new Proxy(kept, {
    get(target, key) {
      if (key === 'commit') return commit;
      if (key === 'saveOrder') return saveOrder;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  return {
    store,
    commits,
    get asked() {
      return asked;
    },
    hold() {
      gate ??= Promise.withResolvers();
    },
    holdAnswers() {
      answers ??= Promise.withResolvers();
    },
    release() {
      gate?.resolve();
      answers?.resolve();
      gate = undefined;
      answers = undefined;
    },
    cut() {
      gone = true;
      return kept;
    },
  };
}
