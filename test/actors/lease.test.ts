/** What a node of a cluster starts while its lease is not renewed, and when it is again. */
import { expect, test } from 'vitest';
import type { Links } from '../../src/domain/links.ts';
import { leafOf, lineOf } from '../../src/domain/scheduling/line.ts';
import { soloMembership } from '../../src/stores/membership.ts';
import { recordOf, result } from '../stores/samples.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry } from '../support/samples.ts';
import { crash, supervisorBench } from './supervisor-bench.ts';

/** A lease that is renewed, or not, when the test says so. */
function lease() {
  const listeners: (() => void)[] = [];
  let holds = true;
  return {
    membership: {
      ...soloMembership('node', { name: 'node', address: '', labels: {}, capacity: {} }),
      mayAct: () => holds,
      onChange(listener: () => void) {
        listeners.push(listener);
        return () => {};
      },
    },
    lose() {
      holds = false;
    },
    async renew() {
      holds = true;
      for (const listener of listeners) listener();
      await settle();
    },
  };
}

test('what waits while the lease is not renewed starts when it is, though nothing else happens', async () => {
  const { membership, lose, renew } = lease();
  const bench = supervisorBench({ membership, slots: 1 });
  await bench.start();
  await bench.start();
  expect(bench.runtime.calls).toHaveLength(1);
  lose();
  bench.runtime.calls[0]?.complete();
  await settle();
  expect(bench.supervisor.load).toMatchObject({ running: 0, pending: 1 });
  await renew();
  expect(bench.runtime.calls).toHaveLength(2);
  bench.runtime.calls[1]?.complete();
  await settle();
  await bench.leavesNothing();
});

test('one that is tried again, and has a place in line for its slot, runs when somebody looks at it before its node takes it', async () => {
  const before = supervisorBench();
  const retry = { ...noRetry, maxAttempts: 2, initialMs: 1000 };
  const { executionId } = await before.start({ retry });
  before.runtime.calls[0]?.fail('FUNCTION_EXIT');
  await settle();
  const record = await before.record(executionId);
  expect(record.state).toBe('running.backingOff');
  // As the row is when the dispatcher has given it to this node.
  const waiting = {
    line: lineOf(leafOf(record)),
    since: before.clock.now(),
    wakesAt: Number.POSITIVE_INFINITY,
  };
  await before.store.commit([
    { executionId, expectedLastSequence: record.lastSequence, events: [], record, waiting },
  ]);
  const after = crash(before);
  const cursor = await after.supervisor.attach(executionId);
  await settle();
  expect(after.runtime.calls.map(({ attempt }) => attempt.number)).toEqual([2]);
  after.runtime.calls[0]?.complete();
  await settle();
  expect(cursor.record).toMatchObject({ status: 'completed', attempt: 2 });
  await after.leavesNothing();
});

test('a node that others have taken for dead says of what it had what is in the store', async () => {
  const { membership, lose } = lease();
  const links = { name: 'one', whereabouts: async () => ({ at: 'here' }) } as unknown as Links;
  const bench = supervisorBench({ membership, links });
  const { executionId } = await bench.start();
  const before = await bench.record(executionId);
  lose();
  const glance = async () => (await bench.supervisor.attach(executionId, 'glance')).record;
  expect(await glance()).toEqual(before);
  const lastSequence = before.lastSequence + 1;
  const record = recordOf(executionId, 'completed', { lastSequence });
  await bench.store.commit([
    { executionId, expectedLastSequence: before.lastSequence, events: [result(lastSequence)], record },
  ]);
  expect(await glance()).toEqual(record);
  bench.supervisor.close();
});
