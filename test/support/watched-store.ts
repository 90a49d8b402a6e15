import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/store.ts';
import type { CommitEntry } from '../../src/stores/store.ts';

/** A memory store that remembers its commits and can be made to hold them back. */
export interface WatchedStore {
  readonly store: MemoryStore;
  /** The entries of each commit that went through. */
  readonly commits: (readonly CommitEntry[])[];
  /** Commits asked for, whatever became of them. */
  readonly asked: number;
  /** Commits from now on wait. */
  hold(): void;
  /** They go on, and no more are held. */
  release(): void;
}

export function watchedStore(): WatchedStore {
  const store = createMemoryStore();
  const commit = store.commit.bind(store);
  const commits: (readonly CommitEntry[])[] = [];
  let gate: PromiseWithResolvers<void> | undefined;
  let asked = 0;
  store.commit = async (entries) => {
    asked++;
    await gate?.promise;
    const results = await commit(entries);
    commits.push(entries);
    return results;
  };
  return {
    store,
    commits,
    get asked() {
      return asked;
    },
    hold() {
      gate ??= Promise.withResolvers();
    },
    release() {
      gate?.resolve();
      gate = undefined;
    },
  };
}
