/** The queue of a whole cluster, as any of its nodes tells it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import { Priority } from '../../src/server/gen/spearlet/function_pb.js';
import { start, untilState } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { cancelled, clusterOn, ended } from './nodes.ts';

const long = { timeout: 60_000, interval: 50 };
const endless = ['100000', '20'];

async function counts(node: ChildServer) {
  const { slots, running, waiting, held, silentNodes } = await node.nodes.getQueue({});
  return { slots, running, waiting: Number(waiting), held: Number(held), silentNodes };
}

describeWhere([postgres()], 'the queue of a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const unowned = async (node: ChildServer) =>
    (await node.connection.service(ClusterService).listNodes({})).unowned;

  test('each node tells what runs and waits on all, and what holds it', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '2' });
    await one.register('ticker', 'ticker/ticker.wasm');
    await one.register('single', 'ticker/ticker.wasm', { concurrency: [{ key: 'task', limit: 1 }] });
    const holder = await start(two, { task: 'single', args: endless });
    await untilState(one, holder, 'running.attempting');
    const blockers = await Promise.all([1, 2].map(() => start(two, { task: 'ticker', args: endless })));
    for (const id of blockers) await untilState(one, id, 'running.attempting');
    const held = await start(one, { task: 'single', args: ['1'], priority: Priority.HIGH });
    const waiting = await Promise.all([1, 2, 3].map(() => start(one, { task: 'ticker', args: ['1'] })));
    for (const node of [one, two]) {
      await expect.poll(() => unowned(node), long).toBe(4);
      await expect
        .poll(() => counts(node), long)
        .toEqual({ slots: 3, running: 3, waiting: 4, held: 1, silentNodes: [] });
      const { lines } = await node.nodes.getQueue({});
      const normal = lines.find(({ priority }) => priority === 'normal');
      expect(normal).toMatchObject({ waiting: 3n, running: 3, nextExecutionId: expect.any(String) });
      expect(waiting).toContain(normal?.nextExecutionId);
      expect(normal?.classes.map(({ summary }) => summary)).toEqual(['all 3 slots are taken']);
      const high = lines.find(({ priority }) => priority === 'high');
      expect(high).toMatchObject({ waiting: 1n, held: 1n, running: 0 });
      expect(high?.classes).toMatchObject([
        {
          waiting: 1n,
          heldBy: [holder],
          nextExecutionId: held,
          summary: expect.stringContaining('the limit is 1'),
        },
      ]);
    }
    for (const id of [...blockers, holder]) await cancelled(one, id);
    for (const id of [...waiting, held]) await ended(two, id);
    for (const node of [one, two]) {
      await expect
        .poll(() => counts(node), long)
        .toEqual({ slots: 3, running: 0, waiting: 0, held: 0, silentNodes: [] });
      expect(await unowned(node)).toBe(0);
    }
  });
});
