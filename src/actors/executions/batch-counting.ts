/** The members of batches, counted. All of a batch are read for that, so that who asks soon after shares the answer. */
import { type BatchState, hasEnded } from '../../domain/batch/batch.ts';
import { type GroupQuery, MemberCounting, type MemberGroups } from '../../domain/batch/groups.ts';
import type { Clock } from '../../domain/clock.ts';
import { LruMap } from '../../domain/lru-map.ts';
import type { Store } from '../../stores/store.ts';

interface Counted {
  readonly groups: Promise<MemberGroups>;
  /** How the batch stood then. */
  readonly standing: string;
  /** Milliseconds, of a clock that only goes on. */
  readonly at: number;
}

const mostKept = 64;
const pageOfMembers = 500;
/** So old may an answer be while the batch goes on, whatever has happened since. */
const freshMs = 500;
/** So old may one be since which no member has begun or ended: what was deleted is seen then. */
const sameMs = 10_000;

export class BatchCounting {
  readonly #store: Pick<Store, 'batchMembers'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #kept = new LruMap<string, Counted>(mostKept);

  constructor(store: Pick<Store, 'batchMembers'>, clock: Pick<Clock, 'monotonic'>) {
    this.#store = store;
    this.#clock = clock;
  }

  groups(state: BatchState, query: GroupQuery): Promise<MemberGroups> {
    const { batchId } = state.batch;
    const { firstLayer, lastLayer, maxBands } = query;
    const key = JSON.stringify([batchId, firstLayer, lastLayer, maxBands]);
    const standing = JSON.stringify(state.counts);
    const now = this.#clock.monotonic();
    const known = this.#kept.get(key);
    if (known !== undefined) {
      const age = now - known.at;
      if (known.standing === standing ? age < sameMs : age < freshMs && !hasEnded(state)) return known.groups;
    }
    const groups = this.#count(state, query);
    this.#kept.set(key, { groups, standing, at: now });
    // What could not be read may be read later.
    groups.catch(() => this.#kept.get(key)?.groups === groups && this.#kept.delete(key));
    return groups;
  }

  async #count({ batch }: BatchState, query: GroupQuery): Promise<MemberGroups> {
    const counting = new MemberCounting(batch, query);
    for (let after = -1; ; ) {
      const wanted = { after, limit: pageOfMembers, statuses: [] };
      const page = await this.#store.batchMembers(batch.batchId, wanted);
      for (const member of page) counting.add(member);
      const last = page.at(-1);
      if (last === undefined || page.length < pageOfMembers) return counting.groups();
      after = last.member;
      // Others are served between two pages.
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
}
