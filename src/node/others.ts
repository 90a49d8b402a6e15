/** Tells those who watch this node what others that use the store have done: decision 62. */
import type { Clock, Timer } from '../domain/clock.ts';
import type { Feed } from '../observers/node/feed.ts';
import type { Membership, WriterPositions } from '../stores/membership.ts';
import type { Store } from '../stores/store.ts';

interface Parts {
  readonly membership: Membership;
  readonly store: Pick<Store, 'execution'>;
  readonly clock: Clock;
  readonly feed: Pick<Feed, 'isWatched' | 'changedElsewhere'>;
}

const lookMs = 250;
/** Parts of logs of each node that are looked at in one turn. */
const mostParts = 500;

const nobody: WriterPositions = new Map();

/** Looks while somebody watches and others are there. */
export function followOthers({ membership, store, clock, feed }: Parts): { close(): void } {
  let since = nobody;
  let timer: Timer | undefined;
  let isClosed = false;

  const look = async (): Promise<void> => {
    if (!feed.isWatched || membership.peers().length < 2) {
      since = nobody;
      return;
    }
    const { executionIds, now } = await membership.changes(withNewcomers(), mostParts);
    since = now;
    for (const executionId of executionIds) {
      const record = await store.execution(executionId);
      if (record !== undefined) feed.changedElsewhere(record);
    }
  };

  /** Who has come since is followed from its beginning. */
  const withNewcomers = (): WriterPositions => {
    if (since === nobody) return since;
    const all = new Map(since);
    for (const { incarnation } of membership.peers()) {
      if (incarnation !== membership.incarnation && !all.has(incarnation)) all.set(incarnation, 0);
    }
    return all;
  };

  const later = (): void => {
    if (isClosed) return;
    timer = clock.setTimer(lookMs, () => {
      // A store that cannot be read is asked again.
      void look()
        .catch(() => {})
        .finally(later);
    });
  };

  if (membership.incarnation !== 0) later();
  return {
    close() {
      isClosed = true;
      timer?.cancel();
    },
  };
}
