/** Waiting for ends of a batch, and counting its members, however many do that. */
import { describe, expect, test } from 'vitest';
import { BatchCounting } from '../../src/actors/executions/batch-counting.ts';
import { BatchWaiters } from '../../src/actors/executions/batch-waiters.ts';
import type { Batch, BatchCounts, BatchMember, BatchState } from '../../src/domain/batch/batch.ts';
import { FakeClock } from '../support/fake-clock.ts';

const batchId = 'batch_1';

function batchOf(members: number): { state(): BatchState; ended: number } {
  const batch = { batchId, members, layers: 1, taskNames: ['echo'] } as unknown as Batch;
  const none = { failed: 0, cancelled: 0, timedOut: 0, running: 0 };
  return {
    ended: 0,
    state() {
      const counts: BatchCounts = { ...none, ended: this.ended, completed: this.ended };
      return { batch, counts };
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('who waits for a batch', () => {
  test('looks at it twice: when it begins to, and when enough have ended', async () => {
    const batch = batchOf(1000);
    let looks = 0;
    const waiters = new BatchWaiters(async () => {
      looks += 1;
      return batch.state();
    });
    const { signal } = new AbortController();
    const all = Array.from({ length: 100 }, () => waiters.beyond(batchId, 1000, signal));
    await turn();
    expect(looks).toBe(100);
    for (; batch.ended < 1000; batch.ended += 1) {
      if (batch.ended % 100 === 0) await turn();
      if (batch.ended > 0) waiters.ended(batchId);
    }
    waiters.ended(batchId);
    expect(await Promise.all(all)).toEqual(all.map(() => true));
    expect(looks).toBe(200);
  });

  test('misses no end that comes while it looks', async () => {
    const batch = batchOf(3);
    const looks: (() => void)[] = [];
    const waiters = new BatchWaiters(
      () => new Promise((resolve) => looks.push(() => resolve(batch.state()))),
    );
    const waiting = waiters.beyond(batchId, 2, new AbortController().signal);
    const early = { ...batch.state() };
    // Two end before the answer of a read that began earlier is here.
    for (let count = 0; count < 2; count++) {
      batch.ended += 1;
      waiters.ended(batchId);
    }
    batch.state = () => early;
    looks[0]?.();
    await turn();
    expect(looks).toHaveLength(2);
    batch.state = () => ({ ...early, counts: { ...early.counts, ended: 2 } });
    looks[1]?.();
    expect(await waiting).toBe(true);
  });

  test('hears when nothing more will come', async () => {
    const waiters = new BatchWaiters(async () => batchOf(2).state());
    const leaving = new AbortController();
    const [left, closed] = [leaving.signal, new AbortController().signal].map((signal) =>
      waiters.beyond(batchId, 1, signal),
    );
    await turn();
    leaving.abort();
    expect(await left).toBe(false);
    waiters.close();
    expect(await closed).toBe(false);
  });
});

describe('the members of a batch', () => {
  test('are read once for all who ask at the same time, and anew when some have ended', async () => {
    const batch = batchOf(2);
    const clock = new FakeClock();
    let reads = 0;
    const counting = new BatchCounting(
      {
        batchMembers: async () => {
          reads += 1;
          const member = { layer: 0, taskName: 'echo', follows: [], name: '', executionId: '' };
          const status = (at: number) =>
            (at < batch.ended ? 'completed' : 'pending') as BatchMember['status'];
          return [0, 1].map((at) => ({ ...member, member: at, status: status(at) }));
        },
      },
      clock,
    );
    const ask = async () => (await counting.groups(batch.state(), { maxBands: 10 })).groups[0]?.counts;
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(Array(3).fill({ pending: 2 }));
    expect(reads).toBe(1);
    batch.ended = 1;
    await clock.advance(500);
    expect([await ask(), await ask(), reads]).toEqual([
      { completed: 1, pending: 1 },
      { completed: 1, pending: 1 },
      2,
    ]);
    // Once all have ended, nobody is told of before.
    batch.ended = 2;
    expect([await ask(), await ask(), reads]).toEqual([{ completed: 2 }, { completed: 2 }, 3]);
    await clock.advance(10_000);
    await ask();
    expect(reads).toBe(4);
  });
});
