/** What is tried again in a cluster waits for a slot of any node. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { start } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { clusterOn, ended } from './nodes.ts';

describeWhere([postgres()], 'retries in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('go on where so many wait that a node keeps few of them in memory', async () => {
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
});
