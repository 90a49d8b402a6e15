import { expect, test } from 'vitest';
import { RetentionLoop } from '../../src/actors/log/retention.ts';
import { NodeTime } from '../../src/actors/time/node-time.ts';
import type { ClockRecord } from '../../src/domain/clock-record.ts';
import { observedStore } from '../../src/stores/observed.ts';
import type { Retained, Retention, Store } from '../../src/stores/store.ts';
import { ended } from '../stores/contract/entries.ts';
import { executionId } from '../stores/samples.ts';
import { FakeClock, isSettled, settle } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

const hourMs = 3_600_000;

/** The clock record of a node that has been here so long. */
function seenFor(clock: FakeClock, ms: number): ClockRecord {
  const wall = clock.now();
  const begun = { time: wall - ms, wall: wall - ms, seen: 0 };
  return { marks: [{ ...begun, earlyMs: 0 }], last: { time: wall, wall, seen: ms }, uptime: clock.uptime() };
}

function bench(
  store: Pick<Store, 'retain' | 'lowSpace'>,
  more: { maxAgeMs?: number; maxBytes?: number } = {},
) {
  const clock = new FakeClock();
  const time = new NodeTime(clock, seenFor(clock, 1000 * hourMs));
  const said: string[] = [];
  const logger = {
    info: (fields: object, message: string) => void said.push(`${message} ${JSON.stringify(fields)}`),
    warn: (_fields: object, message: string) => void said.push(message),
  };
  const loop = new RetentionLoop({
    store,
    clock,
    time,
    maxAgeMs: hourMs,
    maxBytes: 1e9,
    logger,
    ...more,
  });
  return { clock, time, said, loop };
}

/** A store that answers as it is told, and remembers what it was asked. */
function scripted(answers: readonly (Partial<Retained> | Error)[]) {
  const asked: Retention[] = [];
  const store = {
    lowSpace: false,
    async retain(retention: Retention): Promise<Retained> {
      const answer = answers[asked.length];
      asked.push(retention);
      if (answer instanceof Error) throw answer;
      return { deletedExecutions: [], deletedLogs: 0, more: false, ...answer };
    },
  };
  return { store, asked };
}

test('what is too old goes as it gets too old, and the log of the node says so in one line', async () => {
  const kept = createMemoryStore();
  const { store, observe } = observedStore(kept, () => expect.unreachable());
  const deleted: (readonly string[])[] = [];
  observe({ deleted: (gone) => void deleted.push(gone.map(({ executionId: id }) => id)) });
  const { clock, said, loop } = bench(store);
  const start = clock.now();
  await store.commit([ended(1, start - 2 * hourMs), ended(2, start), ended(3, start + 1)]);
  loop.start();
  await clock.advance(0);
  expect(await store.execution(executionId(1))).toBeUndefined();
  expect(await store.execution(executionId(2))).toBeDefined();
  expect(said).toEqual(['what is not kept was deleted {"executions":1,"logs":0}']);
  await clock.advance(hourMs + 10_000);
  expect(await store.executions({ statuses: [], limit: 10 })).toEqual([]);
  expect(said).toHaveLength(2);
  expect(deleted).toEqual([[executionId(1)], [executionId(2), executionId(3)]]);
  await loop.stop();
  expect(clock.timers).toBe(0);
});

test.for([25 * hourMs, 20 * 365 * 24 * hourMs, -25 * hourMs])(
  'a wall clock that is set by %i ms deletes nothing that is younger, and what is older goes at its time',
  async (setMs) => {
    const store = createMemoryStore();
    const { clock, time, loop } = bench(store, { maxAgeMs: 24 * hourMs });
    await store.commit([ended(1, clock.now() - 23 * hourMs), ended(2, clock.now())]);
    loop.start();
    await clock.advance(0);
    clock.jump(setMs);
    await store.commit([ended(3, clock.now())]);
    await clock.advance(hourMs - 10_000);
    for (const number of [1, 2, 3]) expect(await store.execution(executionId(number))).toBeDefined();
    await clock.advance(20 * hourMs);
    for (const number of [2, 3]) expect(await store.execution(executionId(number))).toBeDefined();
    // What bears a time that the clock showed twice waits for the later one.
    await clock.advance(3 * hourMs + 60_000 + (setMs < 0 ? 25 * hourMs : 0));
    expect(await store.executions({ statuses: [], limit: 10 })).toEqual([]);
    expect(time.changes).toBe(1);
    await loop.stop();
  },
);

test('a wall clock that is wrong after the machine was off deletes nothing before the node has seen the time pass', async () => {
  const store = createMemoryStore();
  const before = new FakeClock();
  await store.commit([ended(1, before.now())]);
  const record = seenFor(before, 1000 * hourMs);
  const clock = new FakeClock({
    wall: before.now() + 1e6 * hourMs,
    uptime: { boot: 'another', ms: 40_000 },
  });
  const time = new NodeTime(clock, record);
  const loop = new RetentionLoop({
    store,
    clock,
    time,
    maxAgeMs: 24 * hourMs,
    maxBytes: 1e9,
  });
  loop.start();
  await clock.advance(23 * hourMs);
  expect(await store.execution(executionId(1))).toBeDefined();
  await clock.advance(hourMs + 10_000);
  expect(await store.execution(executionId(1))).toBeUndefined();
  await loop.stop();
});

test('a node without a clock record believes no age that it has not seen', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  await store.commit([ended(1, clock.now() - 30 * 24 * hourMs)]);
  const time = new NodeTime(clock);
  const loop = new RetentionLoop({ store, clock, time, maxAgeMs: hourMs, maxBytes: 1e9 });
  loop.start();
  await clock.advance(hourMs - 10_000);
  expect(await store.execution(executionId(1))).toBeDefined();
  await clock.advance(20_000);
  expect(await store.execution(executionId(1))).toBeUndefined();
  await loop.stop();
});

test('steps follow each other with a pause in between, until there is no more to do', async () => {
  const more = { deletedLogs: 1, more: true };
  const { store, asked } = scripted([
    { ...more, deletedExecutions: [{ executionId: 'exec_1' }] },
    more,
    { deletedExecutions: [{ executionId: 'exec_2' }, { executionId: 'exec_3' }] },
  ]);
  const { clock, said, loop } = bench(store, { maxBytes: 7 });
  loop.start();
  await settle();
  expect(asked).toHaveLength(1);
  await clock.advance(100);
  expect(asked).toHaveLength(3);
  expect(asked[2]).toMatchObject({ maxBytes: 7, endedBefore: (asked[2]?.now ?? 0) - hourMs });
  expect(said).toEqual(['what is not kept was deleted {"executions":3,"logs":2}']);
  await clock.advance(9000);
  expect(asked).toHaveLength(3);
  await clock.advance(1000);
  expect(asked).toHaveLength(4);
  await loop.stop();
});

test('a store that fails is tried again, and is complained of once', async () => {
  const failure = new Error('disk full');
  const { store, asked } = scripted([failure, failure, { deletedLogs: 3 }, failure]);
  const { clock, said, loop } = bench(store);
  loop.start();
  await clock.advance(20_000);
  expect(asked).toHaveLength(3);
  expect(said).toEqual([
    'what is old could not be deleted; it is tried again',
    'what is not kept was deleted {"executions":0,"logs":3}',
  ]);
  await clock.advance(10_000);
  expect(said).toHaveLength(3);
  await loop.stop();
});

test('while there is hardly any space it looks more often whether there is some', async () => {
  const { store, asked } = scripted([]);
  store.lowSpace = true;
  const { clock, loop } = bench(store);
  loop.start();
  await clock.advance(5000);
  expect(asked.length).toBeGreaterThan(5);
  store.lowSpace = false;
  await clock.advance(1000);
  const before = asked.length;
  await clock.advance(5000);
  expect(asked.length).toBe(before);
  await loop.stop();
});

test.for(['between two steps', 'between two rounds'])(
  'stopping it %s leaves no timer and no step',
  async (when) => {
    const { store, asked } = scripted([{ more: when === 'between two steps' }]);
    const { clock, loop } = bench(store);
    loop.start();
    await settle();
    await loop.stop();
    expect(clock.timers).toBe(0);
    await clock.advance(60_000);
    expect(asked).toHaveLength(1);
  },
);

test('stopping it waits for the step that is under way', async () => {
  const gate = Promise.withResolvers<void>();
  const { store } = scripted([]);
  const retain = store.retain.bind(store);
  store.retain = async (retention) => {
    await gate.promise;
    return retain(retention);
  };
  const { clock, loop } = bench(store);
  loop.start();
  const stopped = loop.stop();
  expect(await isSettled(stopped)).toBe(false);
  gate.resolve();
  await stopped;
  expect(clock.timers).toBe(0);
});
