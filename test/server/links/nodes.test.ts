/** The nodes of a cluster: who is there, and taking one out of it and back. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import { ClusterService } from '../../../src/server/gen/spearlet/cluster_pb.js';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { run } from '../../cli/spear.ts';
import { describeWhere } from '../../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../../support/postgres.ts';
import { adminToken, type Peer, startServer } from '../../support/server.ts';
import { refusal } from '../refusal.ts';
import { start, untilState } from '../spawned.ts';
import { clusterOf } from './cluster-nodes.ts';

function asAdmin({ grpcAddress, dataDir }: Peer) {
  const connection = connect(grpcAddress, { token: adminToken(dataDir) });
  onTestFinished(() => connection.close());
  return connection.service(ClusterService);
}

test('a node that is alone is a cluster of one, and takes nothing new while it is cordoned', async () => {
  const server = await startServer();
  onTestFinished(() => server.stop());
  await server.register('ticker', 'ticker/ticker.wasm');
  const cluster = asAdmin(server);
  const { nodes } = await cluster.listNodes({});
  expect(nodes).toMatchObject([
    { self: true, alive: true, state: 'serving', cordoned: false, grpcAddress: server.grpcAddress },
  ]);
  const [{ nodeId: node = '' } = {}] = nodes;
  expect(await cluster.cordonNode({ node })).toMatchObject({ changed: true, node: { cordoned: true } });
  expect(await cluster.cordonNode({ node })).toMatchObject({ changed: false });
  const call = () => server.functions.invokeFunction({ task: 'ticker', args: ['1'] });
  expect(await refusal(call())).toMatchObject({ code: 'UNAVAILABLE', reason: 'CORDONED' });
  expect(await cluster.uncordonNode({ node })).toMatchObject({ changed: true, node: { cordoned: false } });
  expect(await call()).toMatchObject({ success: true });
  expect(await refusal(cluster.cordonNode({ node: 'nobody' }))).toMatchObject({
    code: 'NOT_FOUND',
    reason: 'NODE_NOT_FOUND',
  });
});

describeWhere([postgres()], 'nodes of one cluster', () => {
  let engine: PostgresServer;
  beforeAll(async () => {
    engine = await startPostgres();
  });
  afterAll(() => engine.remove());

  test('one is cordoned by way of another, and drained: the others take over what it has', async () => {
    const cluster = await clusterOf((await engine.database()).url);
    const grpcAddress = '127.0.0.1:0';
    const [one, two] = [
      await cluster.start('one'),
      await cluster.start('two', { grpcAddress, drainMs: '100' }),
    ];
    await one.register('ticker', 'ticker/ticker.wasm');
    const nodes = asAdmin(one);
    const named = async (name: string) =>
      (await nodes.listNodes({})).nodes.find((each) => each.name === name);
    await expect.poll(async () => (await named('two'))?.state).toBe('serving');
    const before = await named('two');

    const running = await start(two, { task: 'ticker', args: ['200', '50'] });
    await untilState(two, running, 'running.attempting');
    const waiting = await start(two, { task: 'ticker', args: ['1'], startAfter: { seconds: 1000n } });
    const ended = one.functions.waitExecution({ executionId: running });

    const listed = await run(['node', 'list', '--address', one.grpcAddress], {
      env: { SPEAR_TOKEN: adminToken(one.dataDir) },
    });
    expect(listed.stdout.toString()).toMatch(/^one +serving.*\ntwo +serving/m);
    expect(await nodes.drainNode({ node: 'two' })).toMatchObject({ node: { name: 'two', cordoned: true } });
    await expect.poll(async () => (await named('two'))?.incarnation).not.toBe(before?.incarnation);
    await expect
      .poll(async () => {
        const node = await named('two');
        return [node?.state, node?.cordoned, node?.running, node?.pending];
      })
      .toEqual(['serving', true, 0, 0]);
    expect((await ended).result).toMatchObject({ status: ExecutionStatus.COMPLETED, attempt: 2 });
    expect(await one.functions.cancelExecution({ executionId: waiting })).toMatchObject({ changed: true });
    expect(await nodes.uncordonNode({ node: 'two' })).toMatchObject({ changed: true });
    await expect.poll(async () => (await named('two'))?.cordoned).toBe(false);
  });
});
