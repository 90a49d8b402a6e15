/** Memory and processors that attempts reserve, over real nodes: an execution goes where there is so much. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { start, untilState } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { cancelled, clusterOn, ended, nodeOf, ownerOf } from './nodes.ts';

const long = { timeout: 60_000, interval: 50 };
const mebibyte = 1024 * 1024;
const limits = (memory: number) => ({ limits: { memory: BigInt(memory * mebibyte) } });
const endless = ['100000', '20'];

describeWhere([postgres()], 'memory and processors in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('an execution goes where there is room for it, and holds up no other while there is none', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '4', guestMemory: String(128 * mebibyte) });
    const two = await cluster.add({ slots: '4', guestMemory: String(512 * mebibyte) });
    await two.register('large', 'ticker/ticker.wasm', limits(384));
    await two.register('middle', 'ticker/ticker.wasm', limits(96));
    // The first node could not run it, and gives it to the one that can.
    const large = await start(one, { task: 'large', args: endless });
    await untilState(two, large, 'running.attempting');
    expect(await ownerOf(cluster, large)).toBe('n2');
    const middle = await start(one, { task: 'middle', args: endless });
    await untilState(one, middle, 'running.attempting');
    expect(await ownerOf(cluster, middle)).toBe('n1');
    // Both nodes have slots, and this one finds memory on the other alone.
    const second = await start(one, { task: 'middle', args: endless });
    await untilState(two, second, 'running.attempting');
    expect(await ownerOf(cluster, second)).toBe('n2');
    const waiting = await start(one, { task: 'large', args: ['1'] });
    for (const node of [one, two]) {
      await expect
        .poll(async () => (await node.nodes.explainExecution({ executionId: waiting })).details, long)
        .toEqual(
          expect.arrayContaining([
            'the node n1 has 32 MiB of 128 MiB of memory free, and it reserves 384 MiB',
            'the node n2 has 32 MiB of 512 MiB of memory free, and it reserves 384 MiB',
          ]),
        );
    }
    const explanation = await one.nodes.explainExecution({ executionId: waiting });
    expect(explanation.summary).toContain(
      'no node that it may run on has room: it reserves 384 MiB of memory',
    );
    // What wants less goes on, although it came later.
    await two.register('small', 'ticker/ticker.wasm', limits(16));
    const small = await start(one, { task: 'small', args: ['1'] });
    expect(await ended(one, small)).toMatchObject({ status: ExecutionStatus.COMPLETED });
    await cancelled(one, large);
    expect(await ended(one, waiting)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, waiting)).toBe('n2');
    for (const id of [middle, second]) await cancelled(one, id);
  });

  test('what is larger than any node gets all of the largest', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '4' });
    await one.register('large', 'ticker/ticker.wasm', limits(384));
    await one.end('SIGKILL');
    await cluster.query('DELETE FROM spear.fences');
    const two = await cluster.add({ slots: '4', guestProcessors: '1', guestMemory: String(64 * mebibyte) });
    const three = await cluster.add({ slots: '4', guestMemory: String(128 * mebibyte) });
    const id = await start(two, { task: 'large', args: endless });
    await untilState(three, id, 'running.attempting');
    expect(await ownerOf(cluster, id)).toBe('n3');
    await cancelled(two, id);
  });
});
