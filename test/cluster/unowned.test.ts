/** What waits in a cluster while nobody has it: what is tried again, and what no node can run. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ClusterService } from '../../src/server/gen/spearlet/cluster_pb.js';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { start } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { cancelled, clusterOn, ended } from './nodes.ts';

describeWhere([postgres()], 'what waits in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('retries go on where so many wait that a node keeps few of them in memory', async () => {
    const cluster = await clusterOn(server);
    const flags = { queueInMemory: '1' };
    const [one, two] = [await cluster.add(flags), await cluster.add(flags)];
    const { taskId } = await one.register('fails', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 3, initial: durationFromMs(50), max: durationFromMs(100) },
      concurrency: [{ key: 'two', limit: 2 }],
    });
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, index) => start(index % 2 === 0 ? one : two, { task: taskId })),
    );
    for (const executionId of all) {
      expect(await ended(one, executionId)).toMatchObject({ status: ExecutionStatus.FAILED, attempt: 3 });
    }
  });

  test('who is cancelled while nobody has it is not counted as one that has left', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add();
    await cluster.add();
    const { taskId } = await one.register('nowhere', 'ticker/ticker.wasm', { runsOn: { zone: 'c' } });
    const executionId = await start(one, { task: taskId, args: ['1'] });
    const unowned = () => cluster.query('SELECT 1 FROM spear.executions WHERE owner IS NULL');
    await expect.poll(async () => (await unowned()).length).toBe(1);
    await cancelled(one, executionId);
    const { nodes } = await one.connection.service(ClusterService).listNodes({});
    expect(nodes.map(({ pending }) => pending)).toEqual([0, 0]);
  });
});
