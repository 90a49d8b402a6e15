import { expect, onTestFinished, test } from 'vitest';
import { executionStatuses } from '../../src/domain/execution.ts';
import type { NodeStatus, StatusCounts } from '../../src/domain/node-feed.ts';
import { Feed } from '../../src/observers/node/feed.ts';
import { observedStore } from '../../src/stores/observed.ts';
import { openSqliteStore } from '../../src/stores/sqlite/store.ts';
import type { Store } from '../../src/stores/store.ts';
import { batchOf, member } from '../stores/contract/batch-entries.ts';
import { appending } from '../stores/contract/entries.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { executionId, recordOf, transition } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** More than one part, and no more than who comes back is told of. */
const members = 900;
const counts = Object.fromEntries(executionStatuses.map((status) => [status, 0])) as StatusCounts;

function feedOf(store: Store): Feed {
  const clock = new FakeClock();
  const status = async (): Promise<NodeStatus> => ({
    ...{ nodeId: 'node_1', version: '1', state: 'serving', startedAt: 0, slots: 1, running: 0, pending: 0 },
    ...{ queueLimit: 1, counts, supervisors: [], position: 0, storeFault: '', grpcAddress: '' },
    ...{ hostAccess: true, traceUrl: '', time: clock.now() },
  });
  return new Feed({ clock, position: 0, status, store });
}

test('who follows the node while a batch is written, and comes back, hears of each member', async () => {
  const kept = await openSqliteStore({ dataDir: await temporaryFolder(), reserveBytes: 64 * 1024 });
  onTestFinished(() => kept.close());
  const { store, observe } = observedStore(kept, (error) => expect.unreachable(String(error)));
  const feed = feedOf(store);
  observe(feed);
  const batch = batchOf(1, members);
  const admitting = store.admitBatch(
    batch,
    Array.from({ length: members }, (_, place) => member(batch, 1, place)),
  );
  let isWritten = false;
  void admitting.then(() => {
    isWritten = true;
  });
  // Others come between its parts: where one follows now, it is told to have heard all up to some place.
  const places = new Set<number>();
  for (let other = 5000; !isWritten; other++) {
    const id = executionId(other);
    const record = recordOf(id, 'pending', { lastSequence: 1 });
    await store.commit([{ ...appending(id, 0, [transition(1, '', 'pending.queued')]), record }]);
    if (isWritten) break;
    const watch = feed.watch(0, 'early');
    const news = await watch.next();
    if (!isWritten) places.add(news?.position ?? Number.NaN);
    watch.close();
  }
  expect((await admitting).ok).toBe(true);
  expect(places.size).toBeGreaterThan(0);
  for (const place of places) {
    const watch = feed.watch(Math.max(1, place), 'late');
    const heard = new Set((await watch.next())?.executions.map((record) => record.executionId));
    const missing = Array.from({ length: members }, (_, index) => executionId(1 + index)).filter(
      (id) => !heard.has(id),
    );
    // Position 1 is of the first member, where nothing was before.
    expect({ place, missing: missing.filter((id) => id !== executionId(1)) }).toEqual({ place, missing: [] });
    watch.close();
  }
});
