import { describe, expect, test } from 'vitest';
import { type ExecutionRecord, executionStatuses } from '../../src/domain/execution.ts';
import type { NodeStatus, NodeWatch, StatusCounts } from '../../src/domain/node-feed.ts';
import { Feed } from '../../src/observers/node/feed.ts';
import { executionId, recordOf, transition } from '../stores/samples.ts';
import { FakeClock, isSettled, settle } from '../support/fake-clock.ts';

const counts = Object.fromEntries(executionStatuses.map((status) => [status, 0])) as StatusCounts;

function feedBench(position = 0) {
  const clock = new FakeClock();
  const records = new Map<string, ExecutionRecord>();
  const reads: number[] = [];
  let changedSince: (from: number) => string[] | undefined = () => [];
  let asked = 0;
  const status = async (): Promise<NodeStatus> => {
    asked++;
    return {
      nodeId: 'node_1',
      version: '1',
      state: 'serving',
      startedAt: 0,
      slots: 1,
      running: 0,
      pending: 0,
      queueLimit: 1,
      counts,
      supervisors: [],
      position: feed.position,
      storeFault: '',
      grpcAddress: '127.0.0.1:50051',
      hostAccess: true,
      traceUrl: '',
      time: clock.now(),
    };
  };
  const feed: Feed = new Feed({
    clock,
    position,
    status,
    store: {
      async changedSince(from) {
        reads.push(from);
        return changedSince(from);
      },
      execution: async (id) => records.get(id),
    },
  });
  return {
    clock,
    feed,
    records,
    reads,
    get asked() {
      return asked;
    },
    setChanged(read: typeof changedSince) {
      changedSince = read;
    },
    deleted(ids: readonly string[]): void {
      feed.deleted(ids.map((id) => ({ executionId: id, taskName: 'echo' })));
    },
    /** One event of an execution, at the next position. */
    commit(number: number, status: ExecutionRecord['status'] = 'running'): ExecutionRecord {
      const record = recordOf(executionId(number), status);
      feed.committed(record, [transition(1, 'a', 'b')], feed.position + 1);
      return record;
    },
  };
}

/** The news after the first. */
async function watchFromNow({ feed }: { readonly feed: Feed }): Promise<NodeWatch> {
  const watch = feed.watch(0, 'reader');
  await watch.next();
  return watch;
}

describe('a watch', () => {
  test('begins with the node as it is, and tells each execution once in a tick, as it is then', async () => {
    const bench = feedBench(7);
    const watch = bench.feed.watch(0, 'reader');
    expect(await watch.next()).toMatchObject({
      position: 7,
      executions: [],
      reset: false,
      node: { slots: 1 },
    });
    bench.commit(1);
    bench.commit(2);
    const last = bench.commit(1, 'completed');
    const news = watch.next();
    expect(await isSettled(news)).toBe(false);
    await bench.clock.advance(100);
    const told = await news;
    expect(told).toMatchObject({ position: 10, reset: false });
    expect(told?.executions).toHaveLength(2);
    expect(told?.executions[0]).toBe(last);
    expect(told).not.toHaveProperty('node');
  });

  test('tells of the node once a second, and nobody counts anything while nobody watches', async () => {
    const bench = feedBench();
    bench.commit(1);
    bench.deleted([executionId(1)]);
    await bench.clock.advance(5000);
    expect({ asked: bench.asked, timers: bench.clock.timers }).toEqual({ asked: 0, timers: 0 });
    const watch = await watchFromNow(bench);
    const seen = [];
    for (let second = 0; second < 3; second++) {
      const next = watch.next();
      await bench.clock.advance(1100);
      seen.push((await next)?.node?.state);
    }
    expect(seen).toEqual(['serving', 'serving', 'serving']);
    watch.close();
    expect(await watch.next()).toBeUndefined();
    expect(bench.clock.timers).toBe(0);
  });

  test('all who watch are told the very same thing, so that it can be written once', async () => {
    const bench = feedBench();
    const watches = [await watchFromNow(bench), await watchFromNow(bench)];
    bench.commit(1);
    await bench.clock.advance(100);
    const [one, other] = await Promise.all(watches.map((watch) => watch.next()));
    expect(one).toBe(other);
  });

  test('that is slow gathers each execution once, and is told to list again where that is too much', async () => {
    const bench = feedBench();
    const slow = await watchFromNow(bench);
    for (let round = 0; round < 5; round++) {
      bench.commit(1);
      bench.commit(2, round === 4 ? 'completed' : 'running');
      await bench.clock.advance(100);
    }
    const gathered = await slow.next();
    expect(gathered?.executions.map(({ status }) => status)).toEqual(['running', 'completed']);
    expect(gathered).toMatchObject({ position: 10, reset: false });
    for (let number = 0; number < 1500; number++) {
      bench.commit(number);
      if (number % 200 === 0) await bench.clock.advance(100);
    }
    await bench.clock.advance(1000);
    const flood = await slow.next();
    expect(flood).toMatchObject({ reset: true, position: bench.feed.position });
    expect(flood?.executions.length).toBeLessThan(1000);
  });

  test('is told of what was deleted, once, and no more of what that was before', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    bench.commit(1, 'completed');
    bench.commit(2, 'completed');
    bench.deleted([executionId(1), executionId(9)]);
    await bench.clock.advance(100);
    const news = await watch.next();
    expect(news).toMatchObject({
      executions: [{ executionId: executionId(2) }],
      deleted: [executionId(1), executionId(9)],
      position: 2,
      reset: false,
    });
    bench.commit(2, 'completed');
    await bench.clock.advance(100);
    expect(await watch.next()).toMatchObject({ deleted: [] });
  });

  test('is told of one that was deleted and restored under its id as it is now', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    const slow = await watchFromNow(bench);
    bench.deleted([executionId(1), executionId(2)]);
    bench.commit(1);
    await bench.clock.advance(100);
    const news = { executions: [{ executionId: executionId(1) }], deleted: [executionId(2)] };
    expect(await watch.next()).toMatchObject(news);
    bench.deleted([executionId(1)]);
    await bench.clock.advance(100);
    bench.commit(2);
    await bench.clock.advance(100);
    expect(await slow.next()).toMatchObject({
      executions: [{ executionId: executionId(2) }],
      deleted: [executionId(1)],
    });
  });

  test('that is slow is told to list again where too much was deleted, and goes on after that', async () => {
    const bench = feedBench();
    const slow = await watchFromNow(bench);
    for (let number = 0; number < 1200; number += 300) {
      bench.deleted(Array.from({ length: 300 }, (_, index) => executionId(number + index)));
      await bench.clock.advance(100);
    }
    expect(await slow.next()).toMatchObject({ executions: [], deleted: [], reset: true });
    bench.deleted([executionId(1)]);
    await bench.clock.advance(100);
    expect(await slow.next()).toMatchObject({ deleted: [executionId(1)], reset: false });
  });

  test('from a position is told what has changed since, as it is now', async () => {
    const bench = feedBench(50);
    bench.setChanged(() => [executionId(3), executionId(4), executionId(5)]);
    bench.records.set(executionId(3), recordOf(executionId(3), 'failed'));
    bench.records.set(executionId(5), recordOf(executionId(5), 'running'));
    const news = await bench.feed.watch(40, 'reader').next();
    expect(bench.reads).toEqual([41]);
    // The one in the middle was deleted since.
    expect(news?.executions.map((record) => record.executionId)).toEqual([executionId(3), executionId(5)]);
    expect(news).toMatchObject({ position: 50, deleted: [], reset: false });
    expect(await bench.feed.watch(50, 'reader').next()).toMatchObject({ executions: [], reset: false });
  });

  test('from a position of long ago, or of another folder, is told to list again', async () => {
    const bench = feedBench(50);
    bench.setChanged(() => undefined);
    expect(await bench.feed.watch(1, 'reader').next()).toMatchObject({
      executions: [],
      reset: true,
      position: 50,
    });
    expect(await bench.feed.watch(51, 'reader').next()).toMatchObject({
      executions: [],
      reset: true,
      position: 50,
    });
    bench.setChanged(() => Array.from({ length: 1001 }, (_, index) => executionId(index)));
    expect(await bench.feed.watch(1, 'reader').next()).toMatchObject({ reset: true });
  });

  test('is led no further than to the members of a batch that is being written', async () => {
    const bench = feedBench(50);
    bench.feed.batchBegun('batch_1');
    // Members have the positions 51 to 60, and are there for nobody yet.
    bench.feed.committed(recordOf(executionId(1), 'running'), [transition(1, 'a', 'b')], 61);
    const early = bench.feed.watch(0, 'reader');
    expect(await early.next()).toMatchObject({ position: 50, reset: false });
    bench.feed.committed(recordOf(executionId(1), 'running'), [transition(1, 'a', 'b')], 62);
    await bench.clock.advance(100);
    expect(await early.next()).toMatchObject({ position: 50, executions: [{ executionId: executionId(1) }] });
    early.close();
    // Who comes back hears again of what he was told beyond it.
    bench.setChanged((from) => (from === 51 ? [executionId(1)] : []));
    bench.records.set(executionId(1), recordOf(executionId(1), 'running'));
    const late = bench.feed.watch(50, 'reader');
    expect(await late.next()).toMatchObject({ position: 50, executions: [{ executionId: executionId(1) }] });
    bench.feed.committed(recordOf(executionId(2), 'pending'), [transition(1, 'a', 'b')], 51);
    bench.feed.batchWritten('batch_1');
    await bench.clock.advance(100);
    expect(await late.next()).toMatchObject({ position: 62, executions: [{ executionId: executionId(2) }] });
  });

  test('is not led past what was dropped before it is told to list again', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    const flood = (): void => {
      for (let number = 0; number < 1500; number++) bench.commit(number);
    };
    flood();
    await bench.clock.advance(100);
    expect(await watch.next()).toMatchObject({ reset: true, position: 1500 });
    // What the node is like now is to be told, and comes before it is said again.
    await bench.clock.advance(950);
    flood();
    await bench.clock.advance(100);
    expect(await watch.next()).toMatchObject({ reset: false, position: 1500, node: { slots: 1 } });
    await bench.clock.advance(1000);
    expect(await watch.next()).toMatchObject({ reset: true, position: 3000 });
  });

  test('hears what is committed while it is told the beginning', async () => {
    const bench = feedBench(50);
    const opening = Promise.withResolvers<string[]>();
    bench.setChanged((() => opening.promise) as never);
    const watch = bench.feed.watch(40, 'reader');
    const first = watch.next();
    await settle();
    bench.commit(9);
    await bench.clock.advance(200);
    opening.resolve([]);
    expect(await first).toMatchObject({ position: 50 });
    expect(await watch.next()).toMatchObject({ position: 51, executions: [{ executionId: executionId(9) }] });
  });
});

describe('the feed', () => {
  test('tells a bounded number in a tick, and the position before the first that it has not told', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    for (let number = 1; number <= 240; number++) bench.commit(number);
    // The first is told as it is now, with the position where it waits.
    bench.commit(1, 'completed');
    const seen: [number, number | undefined][] = [];
    for (let tick = 0; tick < 3; tick++) {
      await bench.clock.advance(100);
      const news = await watch.next();
      seen.push([news?.executions.length ?? 0, news?.position]);
    }
    expect(seen).toEqual([
      [100, 100],
      [100, 200],
      [40, 241],
    ]);
  });

  test('in a flood drops all and says so every two seconds, and goes on afterwards', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    const resets: number[] = [];
    const started = bench.clock.monotonic();
    void (async () => {
      for (let news = await watch.next(); news !== undefined; news = await watch.next()) {
        if (news.reset) resets.push(bench.clock.monotonic() - started);
      }
    })();
    for (let tick = 0; tick < 45; tick++) {
      for (let number = 0; number < 3000; number++) bench.commit(tick * 3000 + number);
      await bench.clock.advance(100);
    }
    expect(resets.length).toBeGreaterThanOrEqual(2);
    expect(resets.length).toBeLessThanOrEqual(3);
    await bench.clock.advance(4000);
    watch.close();
    const later = await watchFromNow(bench);
    bench.commit(1);
    await bench.clock.advance(100);
    expect(await later.next()).toMatchObject({ executions: [{ executionId: executionId(1) }], reset: false });
  });

  test('drops a flood of deletions, too, and what changed with it, and says so', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    bench.commit(5000);
    bench.deleted(Array.from({ length: 1000 }, (_, index) => executionId(index)));
    bench.commit(5001);
    await bench.clock.advance(100);
    expect(await watch.next()).toMatchObject({ executions: [], deleted: [], reset: true, position: 2 });
    watch.close();
    expect(bench.clock.timers).toBe(0);
  });

  test('that closes tells everyone that the node goes away, and nobody new may watch', async () => {
    const bench = feedBench();
    const watch = await watchFromNow(bench);
    const waiting = watch.next();
    bench.feed.close();
    await expect(waiting).rejects.toMatchObject({ kind: 'unavailable', reason: 'DRAINING' });
    expect(() => bench.feed.watch(0, 'reader')).toThrow('stopping');
    expect(bench.clock.timers).toBe(0);
  });

  test('refuses those who are too many', () => {
    const bench = feedBench();
    const watches = ['one', 'two'].map((name) =>
      Array.from({ length: 250 }, () => bench.feed.watch(0, name)),
    );
    expect(() => bench.feed.watch(0, 'three')).toThrow('500 others follow this node already');
    watches[0]?.[0]?.close();
    bench.feed.watch(0, 'three').close();
  });

  test('refuses one principal that has half of all watches, until one of them closes', () => {
    const bench = feedBench();
    const [first] = Array.from({ length: 250 }, () => bench.feed.watch(0, 'one'));
    expect(() => bench.feed.watch(0, 'one')).toThrow('250 watches of one follow this node already');
    bench.feed.watch(0, 'two');
    first?.close();
    bench.feed.watch(0, 'one');
  });
});
