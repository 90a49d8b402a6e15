/** What an operator hears of the nodes of a cluster: numbers, health and log lines, each by the node that they are of. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import {
  Health,
  HealthCheckResponse_ServingStatus as Serving,
} from '../../../src/server/gen/health/v1/health_pb.js';
import { ClusterService } from '../../../src/server/gen/spearlet/cluster_pb.js';
import { describeWhere } from '../../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../../support/postgres.ts';
import { adminToken, type ChildServer } from '../../support/server.ts';
import { start, untilState } from '../spawned.ts';
import { clusterOf } from './cluster-nodes.ts';

const within = { timeout: 60_000 };

/** A number of a node as it is scraped; undefined where there is none of that name and labels. */
async function number(node: ChildServer, sample: string): Promise<number | undefined> {
  const authorization = `Bearer ${adminToken(node.dataDir)}`;
  const text = await (
    await fetch(`http://${node.httpAddress}/metrics`, { headers: { authorization } })
  ).text();
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length));
}

async function ready(node: ChildServer): Promise<unknown> {
  return (await fetch(`http://${node.httpAddress}/readyz`)).json();
}

function services(node: ChildServer) {
  const connection = connect(node.grpcAddress, { token: adminToken(node.dataDir) });
  onTestFinished(() => connection.close());
  return { health: connection.service(Health), cluster: connection.service(ClusterService) };
}

/** Resolves when a watcher has heard it; what is heard otherwise is passed over. */
async function hears(node: ChildServer, wanted: Serving): Promise<void> {
  for await (const { status } of services(node).health.watch({ service: '' })) if (status === wanted) return;
}

const duties = ['dispatcher', 'schedules', 'webhooks', 'retention'];

describeWhere([postgres()], 'of two nodes', () => {
  let engine: PostgresServer;
  beforeAll(async () => {
    engine = await startPostgres();
  });
  afterAll(() => engine.remove());

  test('each has its name in its numbers and lines, and the one that stays says what became of the other', async () => {
    const cluster = await clusterOf((await engine.database()).url);
    const [anna, boris] = [await cluster.start('anna', { slots: '1' }), await cluster.start('boris')];
    await anna.register('ticker', 'ticker/ticker.wasm');
    for (const [node, name] of [
      [anna, 'anna'],
      [boris, 'boris'],
    ] as const) {
      const { nodes } = await services(node).cluster.listNodes({});
      const { nodeId } = nodes.find(({ self }) => self) ?? {};
      expect(await number(node, `spear_node_info{node="${name}",node_id="${nodeId}"}`)).toBe(1);
      await expect.poll(() => number(node, 'spear_cluster_nodes{state="serving"}'), within).toBe(2);
      expect(await number(node, 'spear_cluster_lease_age_seconds')).toBeLessThan(3);
      expect(node.output.at(-1)).toContain(`"node":"${name}"`);
    }
    await expect.poll(() => number(anna, 'spear_cluster_link_up{node="boris"}'), within).toBe(1);
    await expect.poll(() => number(boris, 'spear_cluster_link_up{node="anna"}'), within).toBe(1);
    for (const duty of duties) {
      const sample = `spear_cluster_duty{duty="${duty}"}`;
      const held = async () => ((await number(anna, sample)) ?? 0) + ((await number(boris, sample)) ?? 0);
      await expect.poll(held, within).toBe(1);
    }

    // More than the one slot of it: the rest is given to the other one.
    const running = await Promise.all(
      Array.from({ length: 3 }, () => start(anna, { task: 'ticker', args: ['200', '100'] })),
    );
    for (const id of running) await untilState(anna, id, 'running.attempting');
    const given = async () => {
      const sample = 'spear_cluster_executions_given_total';
      return ((await number(anna, sample)) ?? 0) + ((await number(boris, sample)) ?? 0);
    };
    expect(await given()).toBeGreaterThan(0);
    expect(await number(anna, 'spear_cluster_executions_released_total')).toBeGreaterThan(0);

    boris.process.kill('SIGKILL');
    await expect.poll(() => number(anna, 'spear_cluster_nodes_fenced_total'), within).toBe(1);
    await expect
      .poll(() => number(anna, 'spear_cluster_executions_taken_over_total'), within)
      .toBeGreaterThan(0);
    await expect.poll(() => number(anna, 'spear_cluster_nodes{state="serving"}'), within).toBe(1);
    await expect.poll(() => number(anna, 'spear_cluster_link_up{node="boris"}'), within).toBeUndefined();
    await expect.poll(() => number(anna, 'spear_cluster_duty{duty="dispatcher"}'), within).toBe(1);
    await expect.poll(() => number(anna, 'spear_cluster_executions_unowned'), within).toBeTypeOf('number');
  });

  test('one that is cordoned is not ready, over HTTP and gRPC, and the other is', async () => {
    const cluster = await clusterOf((await engine.database()).url);
    const [anna, boris] = [await cluster.start('anna'), await cluster.start('boris')];
    const { cluster: nodes, health } = services(anna);
    const known = async () => (await nodes.listNodes({})).nodes.map(({ state }) => state);
    await expect.poll(known, within).toEqual(['serving', 'serving']);
    const heard = hears(boris, Serving.NOT_SERVING);
    await nodes.cordonNode({ node: 'boris' });
    await heard;
    expect(await ready(boris)).toEqual({ ready: false, reason: 'cordoned' });
    expect(await number(boris, 'spear_node_cordoned')).toBe(1);
    await expect.poll(() => number(anna, 'spear_cluster_nodes{state="cordoned"}'), within).toBe(1);
    expect((await health.check({ service: 'spearlet.FunctionService' })).status).toBe(Serving.SERVING);
    expect(await ready(anna)).toEqual({ ready: true, reason: 'serving' });
    const back = hears(boris, Serving.SERVING);
    await nodes.uncordonNode({ node: 'boris' });
    await back;
  });
});

describeWhere([postgres()], 'a node whose database is away', () => {
  test('is not ready, says since when it has no lease, and is again when the database is back', async () => {
    const engine = await startPostgres();
    onTestFinished(() => engine.remove());
    const cluster = await clusterOf((await engine.database()).url);
    const anna = await cluster.start('anna');
    await hears(anna, Serving.SERVING);
    await engine.crash();
    await hears(anna, Serving.NOT_SERVING);
    expect(await ready(anna)).toMatchObject({ ready: false });
    await expect.poll(() => number(anna, 'spear_cluster_lease_age_seconds'), within).toBeGreaterThan(3);
    await expect.poll(() => number(anna, 'spear_cluster_renewals_failed_total'), within).toBeGreaterThan(0);
    await engine.start();
    await hears(anna, Serving.SERVING);
    await expect.poll(() => number(anna, 'spear_cluster_lease_age_seconds'), within).toBeLessThan(3);
  });
});
