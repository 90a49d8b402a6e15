/** Where executions run in a cluster of real nodes: by labels, by free slots, and never beyond the limit of a key. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { collect } from '../server/collect.ts';
import { start, untilState } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { clusterOn, ended, nodeOf, ownerOf } from './nodes.ts';

const long = { timeout: 60_000, interval: 50 };

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
      .poll(
        async () => (await cluster.query('SELECT 1 FROM spear.executions WHERE owner IS NULL')).length,
        long,
      )
      .toBe(2);
    for (const node of [one, two]) {
      // Whichever of them gives away what waits.
      const explanation = await node.nodes.explainExecution({ executionId: waiting });
      expect(explanation.summary).toContain('no node that it may run on has a free slot');
      expect(explanation.details).toEqual(
        expect.arrayContaining([
          'the node n1 has zone=a, and runs_on wants zone: c',
          'the node n2 has zone=b, and runs_on wants zone: c',
        ]),
      );
    }
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

  test('a node that has run a task of late is preferred to one with more free slots', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '4' });
    // What a key counts is always given away.
    await one.register('keyed', 'ticker/ticker.wasm', { concurrency: [{ key: 'task', limit: 99 }] });
    const run = (args: string[]) => start(one, { task: 'keyed', args });
    await ended(one, await run(['1']));
    await cluster.add({ slots: '16', labels: 'zone=b' });
    // While something waits it is known what both nodes run, and one that ran there says that it is.
    await one.register('nowhere', 'ticker/ticker.wasm', { runsOn: { zone: 'c' } });
    await one.register('there', 'ticker/ticker.wasm', { runsOn: { zone: 'b' } });
    await start(one, { task: 'nowhere', args: ['1'] });
    await ended(one, await start(one, { task: 'there', args: ['1'] }));
    const renewed = async () => {
      const found = await cluster.query(
        "SELECT lease_until FROM spear.nodes WHERE name = 'n1' AND load LIKE '%warm%'",
      );
      return String(found[0]?.lease_until);
    };
    // It gives by what it has read of itself after it wrote it.
    for (let renewal = 0; renewal < 3; renewal++) {
      const before = await renewed();
      await expect.poll(renewed, long).not.toBe(before);
    }
    for (let call = 0; call < 3; call++) {
      const id = await run(['1']);
      await ended(one, id);
      expect(await nodeOf(cluster, id)).toBe('n1');
    }
    // Where it has no room for another, and only then, the other one has it.
    const owners: (string | undefined)[] = [];
    for (let count = 0; count < 8 && !owners.includes('n2'); count++) {
      const executionId = await run(['100000', '20']);
      await untilState(one, executionId, 'running.attempting');
      owners.push(await ownerOf(cluster, executionId));
    }
    expect(owners.slice(0, 2)).toEqual(['n1', 'n1']);
    expect(owners.at(-1)).toBe('n2');
  });

  test('nothing is given to a node that has filled its slots since anything waited last', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '1' });
    await cluster.add({ slots: '1' });
    await one.register('ticker', 'ticker/ticker.wasm');
    const burst = () =>
      Promise.all(Array.from({ length: 8 }, () => start(one, { task: 'ticker', args: ['2', '5'] })));
    for (const id of await burst()) await ended(one, id);
    const long = { task: 'ticker', args: ['100000', '20'] };
    const blockers = [await start(one, long), await start(two, long)];
    for (const id of await burst()) {
      expect(await ended(one, id)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
      expect(await nodeOf(cluster, id)).toBe('n3');
    }
    for (const executionId of blockers) await two.functions.cancelExecution({ executionId });
  });

  test.each([
    // As where the dispatcher does not know yet what a node has begun to run.
    [
      'what a node was given and cannot start',
      'INSERT INTO spear.grants (execution_id, node) SELECT * FROM given',
    ],
    // As where the answer of the database to a node that took it up was lost.
    ['what a node has and does not know of', 'SELECT FROM given'],
  ])('%s runs on another that can', async (_, note) => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    const two = await cluster.add({ slots: '1' });
    await one.register('ticker', 'ticker/ticker.wasm');
    const blocker = { task: 'ticker', args: ['100000', '20'] };
    const [first, second] = [await start(one, blocker), await start(two, blocker)];
    const id = await start(one, { task: 'ticker', args: ['2', '5'] });
    const isNobodys = `execution_id = '${id}' AND owner IS NULL AND line IS NOT NULL`;
    await expect
      .poll(
        async () => (await cluster.query(`SELECT 1 FROM spear.executions WHERE ${isNobodys}`)).length,
        long,
      )
      .toBe(1);
    await cluster.query(
      `WITH given AS (
         UPDATE spear.executions SET owner = (SELECT incarnation FROM spear.nodes WHERE name = 'n2')
         WHERE ${isNobodys} RETURNING execution_id, owner
       ) ${note}`,
    );
    const [row] = await cluster.query(
      `SELECT name FROM spear.executions JOIN spear.nodes ON incarnation = owner WHERE execution_id = '${id}'`,
    );
    expect(row?.name).toBe('n2');
    await one.functions.cancelExecution({ executionId: first });
    expect(await ended(one, id)).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 1 });
    expect(await nodeOf(cluster, id)).toBe('n1');
    await two.functions.cancelExecution({ executionId: second });
  });

  test('a key of limit 1 is never exceeded over three nodes, also while the dispatcher is killed', async () => {
    const cluster = await clusterOn(server);
    const nodes = [await cluster.add(), await cluster.add(), await cluster.add()] as const;
    const [one, survivor] = nodes;
    const concurrency = [{ key: 'task', limit: 1 }];
    await one.register('one-at-a-time', 'ticker/ticker.wasm', { concurrency });
    const ids: string[] = [];
    for (let call = 0; call < 45; call++) {
      ids.push(await start(nodes[call % 3] as ChildServer, { task: 'one-at-a-time', args: ['3', '20'] }));
    }
    const [holder] = await cluster.query(
      "SELECT n.name FROM spear.leases l JOIN spear.nodes n ON incarnation = holder WHERE l.name = 'dispatcher'",
    );
    expect(holder?.name).toBe('n1');
    const done = "SELECT count(*) FROM spear.executions WHERE status = 'completed'";
    await expect.poll(async () => Number((await cluster.query(done))[0]?.count), long).toBeGreaterThan(5);
    const killedAt = Date.now();
    one.process.kill('SIGKILL');
    const attempts: Attempt[] = [];
    for (const id of ids) {
      expect(await ended(survivor, id)).toMatchObject({ status: ExecutionStatus.COMPLETED });
      attempts.push(...(await attemptsOf(survivor, id, killedAt)));
    }
    attempts.sort((a, b) => a.from - b.from);
    for (const [index, { from }] of attempts.entries()) {
      expect(from).toBeGreaterThanOrEqual(attempts[index - 1]?.to ?? 0);
    }
    // What ran on the node that was killed ran again.
    expect(attempts.length).toBeGreaterThanOrEqual(45);
    expect(attempts.length).toBeLessThanOrEqual(46);
  });
});

interface Attempt {
  readonly from: number;
  readonly to: number;
}

/** From when to when each attempt of an execution ran; all nodes have one clock. */
async function attemptsOf(node: ChildServer, executionId: string, killedAt: number): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  let from: number | undefined;
  for (const event of await collect(node.functions.watchExecution({ executionId, fromSequence: 1n }))) {
    if (event.time === undefined) continue;
    const at = timestampMs(event.time);
    const transition = event.event.case === 'transition' ? event.event.value : undefined;
    if (from !== undefined && (transition !== undefined || event.isFinal)) {
      attempts.push({ from, to: transition?.eventType === 'lost' ? killedAt : at });
      from = undefined;
    }
    if (transition?.to === 'running.attempting') from = at;
  }
  return attempts;
}
