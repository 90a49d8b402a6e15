/** A snapshot that goes on under another clock neither rings early nor late (I7). */
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../support/fake-clock.ts';
import { requestWith } from '../support/samples.ts';
import { copy, documentOf, move, restoreTo, startNode, type TestNode } from './snapshots.ts';

const hourMs = 3_600_000;
const steps = [hourMs, -hourMs, 20 * 365 * 24 * hourMs];
const timeouts = { totalMs: 60_000, queueMs: 40_000 };

interface Pair {
  readonly here: TestNode;
  readonly there: TestNode;
  advance(ms: number): Promise<void>;
}

/** Two nodes, the second with a wall clock that is ahead, on one machine or on two. */
async function two(aheadMs: number, boot: string): Promise<Pair> {
  const clock = new FakeClock();
  const other = new FakeClock({ wall: clock.now() + aheadMs, uptime: { boot, ms: clock.uptime().ms } });
  const here = await startNode(clock);
  const there = await startNode(other, undefined, 'node_2');
  return {
    here,
    there,
    async advance(ms) {
      await clock.advance(ms);
      await other.advance(ms);
    },
  };
}

/** One runs, and another waits for its slot. */
async function waiting({ supervisor }: TestNode): Promise<string> {
  const ids = [];
  for (let n = 0; n < 2; n++) {
    const { cursor } = await supervisor.admit(requestWith({ mode: 'async', timeouts }));
    await cursor.admitted();
    cursor.close('done');
    ids.push(cursor.executionId);
  }
  return ids[1] ?? '';
}

async function statusOf({ store }: TestNode, executionId: string): Promise<string | undefined> {
  const record = await store.execution(executionId);
  return record?.outcome !== undefined && 'code' in record.outcome ? record.outcome.code : record?.state;
}

describe.for(steps)('a snapshot that is restored where the wall clock is ahead by %i ms', (aheadMs) => {
  test('on the same machine: what passed on the way counts where it is to, and to the millisecond', async () => {
    const { here, there, advance } = await two(aheadMs, 'boot 1');
    const id = await waiting(here);
    await waiting(there);
    await advance(10_000);
    const document = await documentOf(here, id);
    await advance(5000);
    const { record } = await restoreTo(there, document);
    expect(record.state).toBe('pending.queued');
    // 30 s were left of its queue timeout, and 45 s are of its total one.
    await advance(29_999);
    expect(await statusOf(there, id)).toBe('pending.queued');
    await advance(1);
    expect(await statusOf(there, id)).toBe('QUEUE_TIMEOUT');
  });

  test('on another machine: what was left goes on, as nobody has seen what passed on the way', async () => {
    const { here, there, advance } = await two(aheadMs, 'boot 2');
    const id = await waiting(here);
    await advance(35_000);
    const document = await documentOf(here, id);
    await advance(5000);
    await restoreTo(there, document, { hold: true });
    await advance(24_999);
    expect(await statusOf(there, id)).toBe('pending.held');
    await advance(1);
    expect(await statusOf(there, id)).toBe('TOTAL_TIMEOUT');
  });

  test('held already: its log there leads to the instants that it goes on with', async () => {
    const { here, there, advance } = await two(aheadMs, 'boot 1');
    const id = await waiting(here);
    await here.supervisor.suspend(id);
    const document = await documentOf(here, id);
    await advance(5000);
    const { record } = await restoreTo(there, document);
    expect(record.deadlines.total).toBe(Math.round(there.time.now()) + 55_000);
    // It is made of what the log says.
    expect((await there.supervisor.explain(id)).endsAt).toBe(record.deadlines.total);
    await advance(54_999);
    expect(await statusOf(there, id)).toBe('pending.held');
    await advance(1);
    expect(await statusOf(there, id)).toBe('TOTAL_TIMEOUT');
  });

  test('as a new one: its deadlines are of the clock there', async () => {
    const { here, there, advance } = await two(aheadMs, 'boot 1');
    const id = await waiting(here);
    const document = await documentOf(here, id, copy);
    await advance(5000);
    const { record } = await restoreTo(there, document, { asNew: true, hold: true });
    await advance(54_999);
    expect(await statusOf(there, record.executionId)).toBe('pending.held');
    await advance(1);
    expect(await statusOf(there, record.executionId)).toBe('TOTAL_TIMEOUT');
  });
});

test.for(steps)(
  'a move whose document is fetched again after the clock was set by %i ms stopped its timers at the move',
  async (setMs) => {
    const clock = new FakeClock();
    const here = await startNode(clock);
    const there = await startNode(clock, undefined, 'node_2');
    const id = await waiting(here);
    await clock.advance(10_000);
    await documentOf(here, id, move);
    await clock.advance(1000);
    clock.jump(setMs);
    here.time.look();
    await clock.advance(4000);
    await restoreTo(there, await documentOf(here, id, move), { hold: true });
    await clock.advance(44_999);
    expect(await statusOf(there, id)).toBe('pending.held');
    await clock.advance(1);
    expect(await statusOf(there, id)).toBe('TOTAL_TIMEOUT');
  },
);

test('one that comes back to its node after the machine was started anew: the time in between counts', async () => {
  const clock = new FakeClock();
  const here = await startNode(clock);
  const id = await waiting(here);
  const document = await documentOf(here, id);
  const record = here.time.record();
  const later = new FakeClock({ wall: clock.now() + 20_000, uptime: { boot: 'boot 2', ms: 1000 } });
  const again = await startNode(later, undefined, 'node_1', record);
  await restoreTo(again, document, { hold: true });
  await later.advance(39_999);
  expect(await statusOf(again, id)).toBe('pending.held');
  await later.advance(1);
  expect(await statusOf(again, id)).toBe('TOTAL_TIMEOUT');
});

test('a document tells no one the id of the boot', async () => {
  const clock = new FakeClock({ wall: 1_750_000_000_000, uptime: { boot: 'secret-boot-id', ms: 70_000 } });
  const here = await startNode(clock);
  const document = (await documentOf(here, await waiting(here))).toString();
  expect(document).toContain('"uptimeMs":70000');
  expect(document).not.toContain('secret-boot-id');
});
