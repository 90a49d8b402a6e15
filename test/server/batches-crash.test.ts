/** A node is killed while a batch is written, and while one is being ended. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { MemberFailurePolicy } from '../../src/server/gen/spearlet/batch_pb.js';
import type { ChildServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';
import { dataFolder, spawn } from './spawned.ts';

const input = new TextEncoder().encode('x');
const cat = (name: string, ...after: readonly string[]) => ({
  name,
  invocation: { task: 'cat', input, dependsOn: after.map((each) => ({ name: each })) },
});
const named = (task: string, name: string, args: string[] = []) => ({ name, invocation: { task, args } });

async function listed({ batches }: ChildServer, batchId: string) {
  const { members } = await batches.listBatchMembers({ batchId, pageSize: 1000 });
  return members;
}

test('of a batch that a node was writing when it was killed nothing is there, before and after', async () => {
  const dataDir = await dataFolder();
  const members = Array.from({ length: 4000 }, (_, index) => cat(`m${index}`));
  const one = await spawn(dataDir, { slots: '1' });
  await one.register('cat', 'misbehaving/cat.wasm');
  const db = new DatabaseSync(join(dataDir, 'spear.db'), { timeout: 10_000 });
  const rows = (from: string) => Number(db.prepare(`SELECT count(*) AS count FROM ${from}`).get()?.count);
  const request = { members, invocationId: 'once' };
  const sent = one.batches.invokeBatch(request).catch(() => undefined);
  while (rows('batches WHERE staged = 1') === 0) await turn();
  // Nobody writes more of it from here on.
  db.exec('BEGIN IMMEDIATE');
  expect(rows('batches WHERE staged = 1')).toBe(1);
  expect(rows('executions')).toBeGreaterThan(0);
  expect(rows('executions')).toBeLessThan(members.length);
  expect((await one.functions.listExecutions({})).executions).toEqual([]);
  expect((await one.batches.listBatches({})).batches).toEqual([]);
  expect((await one.nodes.getNode({})).node).toMatchObject({ pending: 0 });
  await one.end('SIGKILL');
  await sent;
  db.exec('ROLLBACK');

  const two = await spawn(dataDir, { slots: '1' });
  for (const table of ['batches', 'batch_members', 'executions', 'segments', 'inputs', 'execution_labels']) {
    expect({ [table]: rows(table) }).toEqual({ [table]: 0 });
  }
  db.close();
  expect((await two.functions.listExecutions({})).executions).toEqual([]);
  // The invocation id is nobody's.
  const { joined, batch } = await two.batches.invokeBatch({ ...request, members: members.slice(0, 3) });
  expect(joined).toBe(false);
  const { batch: ended } = await two.batches.waitBatch({ batchId: batch?.batchId ?? '' });
  expect(ended).toMatchObject({ isCompleted: true, completed: 3 });
});

test('a cancel of a batch that was answered goes on after the node was killed', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '2' });
  await one.register('cat', 'misbehaving/cat.wasm');
  await one.register('loop', 'misbehaving/loop.wasm');
  const loops = Array.from({ length: 20 }, (_, index) => named('loop', `loop${index}`));
  const after = Array.from({ length: 480 }, (_, index) => cat(`m${index}`, `loop${index % 20}`));
  const { batch } = await one.batches.invokeBatch({ members: [...loops, ...after] });
  const batchId = batch?.batchId ?? '';
  expect(await one.batches.cancelBatch({ batchId, reason: 'enough' })).toMatchObject({ changed: true });
  await one.end('SIGKILL');

  const two = await spawn(dataDir, { slots: '2' });
  const { batch: ended } = await two.batches.waitBatch({ batchId });
  expect(ended).toMatchObject({ isCompleted: true, cancelling: true, cancelled: 500, lastSequence: 500n });
  expect(await listed(two, batchId)).toHaveLength(500);
  expect(await two.batches.cancelBatch({ batchId })).toMatchObject({ changed: false });
});

test('the others end with the first that fails, also where the node was killed right then', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '2' });
  await one.register('cat', 'misbehaving/cat.wasm');
  await one.register('exit', 'misbehaving/exit.wasm');
  await one.register('loop', 'misbehaving/loop.wasm');
  const members = [
    named('exit', 'bad', ['3']),
    ...Array.from({ length: 20 }, (_, index) => named('loop', `loop${index}`)),
    ...Array.from({ length: 200 }, (_, index) => cat(`m${index}`, `loop${index % 20}`)),
  ];
  const onMemberFailure = MemberFailurePolicy.CANCEL_OTHERS;
  const { batch } = await one.batches.invokeBatch({ members, onMemberFailure });
  const batchId = batch?.batchId ?? '';
  for await (const { event } of one.batches.watchBatch({ batchId })) {
    if (event.case === 'member' && event.value.name === 'bad') break;
  }
  await one.end('SIGKILL');

  const two = await spawn(dataDir, { slots: '2' });
  const { batch: ended } = await two.batches.waitBatch({ batchId });
  expect(ended).toMatchObject({ isCompleted: true, cancelling: true, failed: 1, cancelled: 220 });
  const events = await collect(two.batches.watchBatch({ batchId }));
  const endings = events.flatMap(({ event }) => (event.case === 'member' ? [event.value] : []));
  expect(endings[0]).toMatchObject({ name: 'bad', sequence: 1n });
  expect(new Set(endings.map(({ member }) => member)).size).toBe(221);
});

test('a node that is stopped ends the watches of batches and the waits for them, and itself', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { drainMs: '0' });
  await one.register('cat', 'misbehaving/cat.wasm');
  await one.register('loop', 'misbehaving/loop.wasm');
  const { batch } = await one.batches.invokeBatch({ members: [cat('quick'), named('loop', 'endless')] });
  const batchId = batch?.batchId ?? '';
  const heard = Promise.withResolvers<void>();
  const watched = (async () => {
    for await (const { event } of one.batches.watchBatch({ batchId }))
      if (event.case === 'member') heard.resolve();
  })();
  const answers = [refusal(watched), refusal(one.batches.waitBatch({ batchId }))];
  await heard.promise;
  expect(await one.end('SIGTERM')).toMatchObject({ code: 0 });
  for (const answer of await Promise.all(answers)) expect(answer.code).toBe('UNAVAILABLE');
});
