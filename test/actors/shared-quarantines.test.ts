/** What is quarantined by one order, as the order of another node knows it, over a store that both have. */
import { expect, test } from 'vitest';
import { SharedQuarantines } from '../../src/actors/executions/cluster/shared-quarantines.ts';
import { Slots } from '../../src/actors/queue/slots.ts';
import type { QuarantineUse } from '../../src/domain/scheduling/gate.ts';
import type { Verdict } from '../../src/domain/scheduling/quarantine-gate.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';

const use: QuarantineUse = {
  ...{ kind: 'quarantine', rule: 'task_1/task', meter: 'task_1/task=code', key: 'task', value: 'echo' },
  ...{ failures: 1, withinMs: 1000 },
};
const failed: Verdict = { kind: 'failed', error: { code: 'TRAP', message: 'unreachable' } };
const day = 24 * 3_600_000;

function cluster() {
  const clock = new FakeClock();
  const store = createMemoryStore();
  /** One judges; its slots are the dispatcher's, or those of a node that is alone. */
  function node(judges: boolean) {
    const told: (boolean | undefined)[] = [];
    const leaf = { tenant: 'default', priority: 'normal' as const, fairnessKey: '', gates: [use] };
    const slots: Slots = new Slots(2, {
      ...{ leafOf: () => leaf, expectedMs: () => 0, now: () => clock.monotonic() },
      quarantined: (changed) => shared.judged(slots, changed),
    });
    slots.setTold(!judges);
    const state = { judges };
    const shared: SharedQuarantines = new SharedQuarantines({
      ...{ store, clock, slots, now: () => clock.now() },
      judge: () => (state.judges ? slots : undefined),
      settled: async () => {},
      forget: async () => {},
      changed: (changed) => told.push(slots.quarantineState(changed) !== undefined),
      failed(error) {
        throw error;
      },
    });
    return { slots, shared, told, state };
  }
  const rows = () => store.rows({ kind: 'quarantine', limit: 10 });
  return { clock, store, node, rows };
}

test('is told with its pause and its probe, and holds nobody where another judges', async () => {
  const { clock, node, rows } = cluster();
  const [judge, other] = [node(true), node(false)];
  for (const id of ['a', 'b']) judge.slots.judgeOf(use, id, failed);
  await expect.poll(rows).toHaveLength(1);
  await other.shared.reload(use.meter);
  expect(other.slots.quarantineState(use)).toEqual(judge.slots.quarantineState(use));
  expect(other.slots.quarantineOf(use)).toMatchObject({ failures: 2, isFull: true, probeInMs: 1000 });
  for (const { slots } of [judge, other]) slots.request('c', false);
  expect(judge.slots.take()).toBeUndefined();
  // What it was given has been let through.
  expect(other.slots.take()).toBe('c');
  expect(other.slots.quarantineState(use)).not.toHaveProperty('probe');
  await clock.advance(1000);
  expect(other.slots.quarantineOf(use)).toMatchObject({ isFull: false });
  expect(judge.slots.take()).toBe('c');
  await expect.poll(async () => (await rows())[0]?.value).toContain('"probe":"c"');
  // It has left its place before it was heard what came of it.
  judge.slots.release('c');
  judge.slots.judgeOf(use, 'c', failed);
  await expect.poll(async () => (await rows())[0]?.value).toContain('"probes":1');
  await other.shared.reload();
  expect(other.slots.quarantineOf(use)).toMatchObject({ probes: 1, probeInMs: 2000, isFull: true });
  expect(judge.told).toEqual([true]);
  expect(other.told).toEqual([]);
});

test('goes on with who judges next, without a probe that is gone', async () => {
  const { clock, node, rows } = cluster();
  const first = node(true);
  for (const id of ['a', 'b']) first.slots.judgeOf(use, id, failed);
  first.slots.request('c', false);
  await clock.advance(1000);
  expect(first.slots.take()).toBe('c');
  await expect.poll(async () => (await rows())[0]?.value).toContain('"probe":"c"');
  const told = node(false);
  await told.shared.open(told.slots);
  expect(told.slots.quarantineState(use)).toHaveProperty('probe', 'c');
  told.state.judges = true;
  told.slots.setTold(false);
  expect(told.slots.quarantineState(use)).not.toHaveProperty('probe');
  told.slots.request('d', false);
  expect(told.slots.take()).toBe('d');
  told.slots.judgeOf(use, 'd', { kind: 'succeeded' });
  await expect.poll(rows).toEqual([]);
  await first.shared.reload(use.meter);
  expect(first.slots.quarantineState(use)).toBeUndefined();
});

test('is reset on any node', async () => {
  const { node, rows } = cluster();
  const [judge, other] = [node(true), node(false)];
  for (const id of ['a', 'b']) judge.slots.judgeOf(use, id, failed);
  await expect.poll(rows).toHaveLength(1);
  await other.shared.reload(use.meter);
  expect(await other.shared.reset('task_2')).toBe(false);
  expect(await other.shared.reset('task_1')).toBe(true);
  expect(other.slots.quarantineState(use)).toBeUndefined();
  await judge.shared.reload(use.meter);
  expect(judge.slots.quarantineState(use)).toBeUndefined();
  expect(judge.told).toEqual([true, false]);
  expect(await rows()).toEqual([]);
});

test('is forgotten where nobody has tried for a day since somebody might have', async () => {
  const { clock, node, rows } = cluster();
  const judge = node(true);
  for (const id of ['a', 'b']) judge.slots.judgeOf(use, id, failed);
  await expect.poll(rows).toHaveLength(1);
  await clock.advance(day + 2000);
  const next = node(true);
  await next.shared.open(next.slots);
  expect(next.slots.quarantineState(use)).toBeUndefined();
  expect(await rows()).toEqual([]);
});
