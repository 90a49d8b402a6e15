/** A task of which too many attempts fail, on whichever nodes of a cluster, is held on all of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { WhenQuarantined } from '../../src/server/gen/spearlet/task_pb.js';
import { start } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { type ClusterNodes, clusterOn, ended } from './nodes.ts';

describeWhere([postgres()], 'a quarantine in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const long = { timeout: 60_000 };
  const quarantineOf = async (node: ChildServer) =>
    (await node.tasks.getTask({ task: 'fragile' })).task?.quarantine;
  const stateOf = async (node: ChildServer, executionId: string) =>
    (await node.functions.getExecutionStatus({ executionId })).result?.state;

  const register = (
    node: ChildServer,
    failures: number,
    seconds: number,
    whenQuarantined = WhenQuarantined.WAIT,
  ) =>
    node.register('fragile', 'misbehaving/exit.wasm', {
      restartIntensity: { failures, within: { seconds: BigInt(seconds) }, whenQuarantined },
    });

  const exits = (node: ChildServer, code: number) => start(node, { task: 'fragile', args: [String(code)] });

  /** One attempt after the other fails, each asked for on the next node. */
  async function fail(nodes: readonly ChildServer[], times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      const node = nodes[time % nodes.length] as ChildServer;
      expect(await ended(node, await exits(node, 3))).toMatchObject({ exitCode: 3 });
    }
  }

  async function areHeld(nodes: readonly ChildServer[], held: object): Promise<void> {
    for (const node of nodes) await expect.poll(() => quarantineOf(node), long).toMatchObject(held);
  }

  async function areFree(nodes: readonly ChildServer[]): Promise<void> {
    for (const node of nodes) await expect.poll(() => quarantineOf(node), long).toBeUndefined();
  }

  async function dispatcherOf(cluster: ClusterNodes): Promise<string> {
    const [row] = await cluster.query(
      `SELECT name FROM spear.nodes WHERE fenced_at IS NULL AND load::json->>'dispatcher' = 'true'`,
    );
    return String(row?.name);
  }

  test('counts what fails on any node, outlives the one that counts, and is reset on any', {
    timeout: 300_000,
  }, async () => {
    const cluster = await clusterOn(server);
    const nodes = [await cluster.add({ slots: '1' }), await cluster.add({ slots: '1' })];
    nodes.push(await cluster.add({ slots: '1' }));
    const [one] = nodes as [ChildServer];
    await register(one, 3, 3600);
    await fail(nodes, 4);
    await areHeld(nodes, { failures: 4, failedProbes: 0 });
    const waiting: string[] = [];
    for (const node of nodes) waiting.push(await exits(node, 0));
    const [first = ''] = waiting;
    const isHeld = (node: ChildServer) =>
      expect
        .poll(async () => (await node.nodes.explainExecution({ executionId: first })).summary, long)
        .toContain('fragile is quarantined: 4 of its attempts failed');
    for (const node of nodes) await isHeld(node);
    const name = await dispatcherOf(cluster);
    const judge = nodes.splice(Number(name.slice(1)) - 1, 1)[0] as ChildServer;
    await judge.end('SIGKILL');
    await expect.poll(async () => (await dispatcherOf(cluster)) !== name, long).toBe(true);
    for (const node of nodes) await isHeld(node);
    await areHeld(nodes, { failures: 4 });
    const [left, right] = nodes as [ChildServer, ChildServer];
    for (const executionId of waiting) expect(await stateOf(left, executionId)).toBe('pending.queued');
    expect(await right.tasks.resetTask({ task: 'fragile' })).toMatchObject({ changed: true });
    await areFree(nodes);
    for (const executionId of waiting) {
      expect(await ended(left, executionId)).toMatchObject({ status: ExecutionStatus.COMPLETED });
    }
    expect(await left.tasks.resetTask({ task: 'fragile' })).toMatchObject({ changed: false });
  });

  test('refuses on every node where its task says so', { timeout: 120_000 }, async () => {
    const cluster = await clusterOn(server);
    const nodes = [await cluster.add({ slots: '1' }), await cluster.add({ slots: '1' })];
    await register(nodes[0] as ChildServer, 1, 3600, WhenQuarantined.REFUSE);
    await fail(nodes, 2);
    await areHeld(nodes, { failures: 2 });
    for (const node of nodes) await expect(exits(node, 0)).rejects.toThrow('fragile is quarantined');
  });

  test('lets one try after its time, wherever that runs, and ends when that completes', {
    timeout: 120_000,
  }, async () => {
    const cluster = await clusterOn(server);
    const nodes = [await cluster.add({ slots: '1' }), await cluster.add({ slots: '1' })];
    const [one, two] = nodes as [ChildServer, ChildServer];
    await register(one, 1, 1);
    // Failures are forgotten after a second, so as many come as it takes.
    await expect
      .poll(async () => {
        await Promise.all([exits(one, 3), exits(two, 3), exits(one, 3)]);
        return quarantineOf(two);
      }, long)
      .toBeDefined();
    await expect.poll(async () => (await quarantineOf(two))?.failedProbes ?? 0, long).toBeGreaterThan(0);
    await areHeld(nodes, {});
    const listed = await one.functions.listExecutions({ statuses: [ExecutionStatus.PENDING] });
    for (const { executionId } of listed.executions) {
      await two.functions.cancelExecution({ executionId }).catch(() => {});
    }
    expect(await ended(two, await exits(two, 0))).toMatchObject({ status: ExecutionStatus.COMPLETED });
    await areFree(nodes);
  });

  test('is known to those that come, and to one that is alone then', { timeout: 180_000 }, async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '1' });
    await register(one, 1, 3600);
    await fail([one], 2);
    await areHeld([one], { failures: 2 });
    const two = await cluster.add({ slots: '1' });
    await areHeld([two], { failures: 2 });
    const executionId = await exits(two, 0);
    await one.end('SIGKILL');
    await areHeld([two], { failures: 2 });
    expect(await two.tasks.resetTask({ task: 'fragile' })).toMatchObject({ changed: true });
    expect(await ended(two, executionId)).toMatchObject({ status: ExecutionStatus.COMPLETED });
    await areFree([two]);
  });
});
