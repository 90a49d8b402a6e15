/** Where executions run in a cluster of real nodes: by labels, by free slots, and never beyond the limit of a key. */
import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { dataFolder, start } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { type ClusterNodes, clusterOn } from './nodes.ts';

const long = { timeout: 60_000, interval: 50 };

async function ended(node: ChildServer, executionId: string) {
  const { result } = await node.functions.waitExecution({ executionId });
  return result;
}

/** Which node an execution ran on, by who committed its last event. */
async function nodeOf(cluster: ClusterNodes, executionId: string): Promise<string> {
  const [row] = await cluster.query(
    `SELECT name FROM spear.segments JOIN spear.nodes ON incarnation = writer
     WHERE execution_id = '${executionId}' ORDER BY first_sequence DESC LIMIT 1`,
  );
  return String(row?.name);
}

describeWhere([postgres()], 'placement in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('a task runs where its labels are, whoever was asked, and waits where they are nowhere', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ labels: 'zone=a' });
    const two = await cluster.add({ labels: 'zone=b,gpu=2' });
    await one.register('gpu', 'ticker/ticker.wasm', { runsOn: { gpu: '>=1' } });
    await two.register('there', 'ticker/ticker.wasm', { runsOn: { zone: 'a' } });
    await one.register('nowhere', 'ticker/ticker.wasm', { runsOn: { zone: 'c' } });
    const sync = await one.functions.invokeFunction({ task: 'gpu', args: ['2'] });
    expect(sync.result).toMatchObject({ status: ExecutionStatus.COMPLETED });
    expect(Buffer.from(sync.result?.output ?? []).toString()).toBe('tick 1\ntick 2\n');
    expect(await nodeOf(cluster, sync.executionId)).toBe('n2');
    const there = await two.functions.invokeFunction({ task: 'there', args: ['1'] });
    expect(await nodeOf(cluster, there.executionId)).toBe('n1');
    const waiting = await start(two, { task: 'nowhere', args: ['1'] });
    const cancelled = await start(one, { task: 'nowhere', args: ['1'] });
    await expect
      .poll(async () => (await cluster.query('SELECT 1 FROM spear.executions WHERE owner IS NULL')).length, long)
      .toBe(2);
    await two.functions.cancelExecution({ executionId: cancelled });
    expect(await ended(one, cancelled)).toMatchObject({ status: ExecutionStatus.CANCELLED });
    await cluster.add({ labels: 'zone=c' });
    expect(await ended(one, waiting)).toMatchObject({ status: ExecutionStatus.COMPLETED });
    expect(await nodeOf(cluster, waiting)).toBe('n3');
  });

  test('what finds no slot on its node runs where one is free', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '1' });
    await one.register('ticker', 'ticker/ticker.wasm');
    const blocker = await start(one, { task: 'ticker', args: ['100000', '20'] });
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => start(one, { task: 'ticker', args: ['2', '5'] })),
    );
    for (const id of ids) {
      expect(await ended(one, id)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
      expect(await nodeOf(cluster, id)).toBe('n2');
    }
    await two.functions.cancelExecution({ executionId: blocker });
    expect(await ended(two, blocker)).toMatchObject({ status: ExecutionStatus.CANCELLED });
    const [left] = await cluster.query('SELECT count(*) FROM spear.grants');
    expect(left?.count).toBe('0');
  });

  test('a key of limit 1 is never exceeded over three nodes, also while the dispatcher is killed', async () => {
    const cluster = await clusterOn(server);
    const nodes = [
      await cluster.add({ allowHostAccess: 'true' }),
      await cluster.add({ allowHostAccess: 'true' }),
      await cluster.add({ allowHostAccess: 'true' }),
    ] as const;
    const witness = join(await dataFolder(), 'witness');
    await appendFile(witness, '');
    const [one] = nodes;
    const script = `echo "begin $1" >> ${witness}; sleep 0.05; echo "end $1" >> ${witness}`;
    await one.tasks.registerTask({
      definition: {
        name: 'one-at-a-time',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/sh' } },
        args: ['-c', script, 'sh'],
        concurrency: [{ key: 'task', limit: 1 }],
        onInterrupt: 1,
      },
    });
    const survivors = nodes.slice(1);
    const ids: string[] = [];
    for (let call = 0; call < 45; call++) {
      const node = nodes[call % 3] as ChildServer;
      ids.push(await start(node, { task: 'one-at-a-time', args: [`${call}`] }));
    }
    await expect
      .poll(async () => (await readFile(witness, 'utf8')).split('\n').length, long)
      .toBeGreaterThan(10);
    const [holder] = await cluster.query(
      "SELECT name FROM spear.leases JOIN spear.nodes ON incarnation = holder WHERE leases.name = 'dispatcher'",
    );
    expect(holder?.name).toBe('n1');
    one.process.kill('SIGKILL');
    for (const id of ids) {
      const result = await ended(survivors[0] as ChildServer, id);
      expect([ExecutionStatus.COMPLETED]).toContain(result?.status);
    }
    let running = 0;
    let most = 0;
    const lines = (await readFile(witness, 'utf8')).trim().split('\n');
    const begun = new Set<string>();
    for (const line of lines) {
      const [what, call = ''] = line.split(' ');
      if (what === 'begin') {
        running += 1;
        begun.add(call);
      } else running -= 1;
      most = Math.max(most, running);
    }
    expect(begun.size).toBe(45);
    // What ran on the node that was killed has no end; nothing began before it was known to be gone.
    expect(lines.filter((line) => line.startsWith('begin')).length - 45).toBeLessThanOrEqual(1);
    expect(most).toBeLessThanOrEqual(2);
  });
});
