/** A reader that follows an execution from one node to another. */
import { expect, test } from 'vitest';
import { RoamingCursor } from '../../src/actors/log/roaming-cursor.ts';
import type { LogCursor } from '../../src/domain/log.ts';
import { a, appending, creating } from '../stores/contract/entries.ts';
import { recordOf, result } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

/** On a log that this node had, and has given to another one. */
function left(record: LogCursor['record']): LogCursor {
  return {
    ...{ executionId: record.executionId, record, left: true, closed: false },
    admitted: () => Promise.resolve(record),
    read: () => Promise.reject(new Error('it is read from the store')),
    beyond: () => Promise.resolve(),
    wake() {},
    close() {},
  };
}

test('an end that another node wrote is told with the record that it wrote', async () => {
  const store = createMemoryStore();
  await store.commit([creating(a, 'running')]);
  const before = await store.execution(a);
  if (before === undefined) throw new Error('there is none');
  const host = {
    store,
    links: {
      whereabouts: () => Promise.resolve({ at: 'nobody' as const }),
      follow: () => {
        throw new Error('there is nobody to follow');
      },
    },
    clock: new FakeClock(),
    here: () => Promise.reject(new Error('it is not here')),
    leaving: false,
  };
  const cursor = new RoamingCursor(host, left(before));
  expect(cursor.record.status).toBe('running');
  await store.commit([
    { ...appending(a, 3, [result(4)]), record: recordOf(a, 'completed', { lastSequence: 4 }) },
  ]);
  const events = await cursor.read(1, 1 << 20);
  expect(events.at(-1)).toMatchObject({ kind: 'result', sequence: 4 });
  expect(cursor.record).toMatchObject({ status: 'completed', lastSequence: 4 });
});
