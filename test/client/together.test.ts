/** Batches, schedules and aliases through the package's client, against a node. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect, SpearError } from '../../src/client/main.ts';
import { type LocalServer, startServer } from '../support/server.ts';

let server: LocalServer;
beforeAll(async () => {
  server = await startServer({ slots: '4' });
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});
afterAll(() => server.stop());

function client() {
  const spear = connect({ address: server.grpcAddress });
  onTestFinished(() => spear.close());
  return spear;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test('an execution follows another and is given its output', async () => {
  const spear = client();
  const first = await spear.start('cat', { input: 'hello' });
  const second = await spear.invoke('cat', { dependsOn: [{ executionId: first.id, asInput: true }] });
  expect(second.text()).toBe('hello');
});

test('a batch runs as a graph, tells its ends in order, and is joined by its key', async () => {
  const spear = client();
  const members = [
    { name: 'a', task: 'cat', input: 'hello' },
    { name: 'b', task: 'exit', args: ['3'] },
    { name: 'c', task: 'cat', dependsOn: [{ name: 'a', asInput: true }] },
    { name: 'd', task: 'cat', dependsOn: ['b'] },
  ];
  const batch = await spear.batches.start(members, { invocationId: 'one' });
  expect(batch.joined).toBe(false);
  const ends = await all(batch.ends());
  expect(ends.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  expect(await batch.ended()).toMatchObject({
    ...{ batchId: batch.id, members: 4, completed: 2, failed: 2, isCompleted: true },
    taskNames: ['cat', 'exit'],
  });
  expect((await all(batch.ends({ from: 3 }))).map(({ sequence }) => sequence)).toEqual([3, 4]);
  const failed = await all(batch.members({ statuses: ['FAILED'] }));
  expect(failed.map(({ name, errorCode }) => [name, errorCode])).toEqual([
    ['b', 'FUNCTION_EXIT'],
    ['d', 'DEPENDENCY_FAILED'],
  ]);
  const [third] = (await all(batch.members())).filter(({ name }) => name === 'c');
  const result = await spear.execution(third?.executionId ?? '').result();
  expect(result.text()).toBe('hello');
  expect(await spear.batches.start(members, { invocationId: 'one' })).toMatchObject({
    id: batch.id,
    joined: true,
  });
  expect((await all(spear.batches.list())).map(({ batchId }) => batchId)).toContain(batch.id);
  expect((await all(spear.list({ batch: batch.id }))).length).toBe(4);
});

test('a batch can be cancelled, and a circle in it is refused by name', async () => {
  const spear = client();
  const batch = await spear.batches.start([{ task: 'loop' }, { task: 'loop' }]);
  expect(await spear.batch(batch.id).cancel({ reason: 'enough' })).toBe(true);
  expect(await batch.ended()).toMatchObject({ cancelled: 2 });
  const circle = spear.batches.start([
    { name: 'x', task: 'cat', dependsOn: ['y'] },
    { name: 'y', task: 'cat', dependsOn: ['x'] },
  ]);
  await expect(circle).rejects.toThrow(SpearError);
  await expect(circle).rejects.toThrow(/x.*y|y.*x/);
});

test('a supervised batch begins its members again until it gives up', async () => {
  const spear = client();
  const batch = await spear.batches.start(
    [{ name: 'api', task: 'exit', args: ['3'], restart: 'PERMANENT' }],
    {
      supervision: { strategy: 'ONE_FOR_ALL', intensity: 2, backoffMs: 1, maxBackoffMs: 1 },
    },
  );
  expect(await batch.ended()).toMatchObject({ failed: 1 });
  const [member] = await all(batch.members());
  expect(member).toMatchObject({ name: 'api', restarts: 2, status: 'FAILED', errorCode: 'FUNCTION_EXIT' });
});

test('a schedule is made, looked at, paused, fired by hand, filled in and deleted', async () => {
  const spear = client();
  const daily = { task: 'cat', input: 'by the clock', cron: '0 3 * * *', timezone: 'Europe/Berlin' };
  const made = await spear.schedules.create('daily', { ...daily, overlap: 'ALLOW' });
  expect(made).toMatchObject({ definition: { name: 'daily', cron: '0 3 * * *' }, revision: 1 });
  await expect(spear.schedules.create('daily', daily)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(await spear.schedules.upcoming('daily', { limit: 3 })).toHaveLength(3);
  expect(await spear.schedules.pause('daily', { reason: 'later' })).toBe(true);
  expect(await spear.schedules.get('daily')).toMatchObject({ state: 'paused', pauseReason: 'later' });
  const { executionId = '' } = await spear.schedules.trigger('daily');
  expect((await spear.execution(executionId).result()).text()).toBe('by the clock');
  expect((await all(spear.list({ schedule: 'daily' }))).map((each) => each.executionId)).toEqual([
    executionId,
  ]);
  const to = new Date();
  const from = new Date(to.getTime() - 3 * 86_400_000);
  const counted = await spear.schedules.backfill('daily', { from, to, dryRun: true });
  expect(counted).toHaveLength(3);
  expect(await spear.schedules.firings('daily')).toHaveLength(1);
  expect(await spear.schedules.resume('daily')).toBe(true);
  expect(await spear.schedules.update('daily', { task: 'cat', everyMs: 3_600_000 })).toMatchObject({
    revision: 2,
  });
  expect((await all(spear.schedules.list())).map(({ definition }) => definition?.name)).toEqual(['daily']);
  await spear.schedules.delete('daily');
  expect(await all(spear.schedules.list())).toEqual([]);
  await expect(spear.schedules.create('no', { task: 'cat' })).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});

test('an alias is moved, shared, moved back and deleted', async () => {
  const spear = client();
  await server.register('report', 'misbehaving/cat.wasm');
  await server.register('report', 'misbehaving/exit.wasm');
  expect(await spear.aliases.set('report', 'live', 1)).toMatchObject({ name: 'live', version: 1 });
  expect((await spear.invoke('report', { input: 'one' })).text()).toBe('one');
  const shared = await spear.aliases.set('report', 'live', { 1: 90, 2: 10 });
  expect(shared.shares).toEqual([
    { revision: 1, percent: 90 },
    { revision: 2, percent: 10 },
  ]);
  const stale = spear.aliases.set('report', 'live', 2, { expectedVersion: 1 });
  await expect(stale).rejects.toMatchObject({ code: 'ABORTED' });
  expect(await spear.aliases.rollback('report')).toMatchObject({ shares: [{ revision: 1, percent: 100 }] });
  expect((await spear.aliases.list('report')).map(({ name }) => name)).toEqual(['live']);
  expect((await all(spear.aliases.revisions('report'))).map(({ revision }) => revision)).toEqual([2, 1]);
  expect(await spear.aliases.delete('report', 'live')).toBe(true);
});
