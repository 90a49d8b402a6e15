/** Batches whose members run on several nodes, asked of any of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  MemberFailurePolicy,
  SupervisionPhase,
  SupervisionStrategy,
} from '../../src/server/gen/spearlet/batch_pb.js';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import type { ChildServer } from '../support/server.ts';
import { type ClusterNodes, clusterOn } from './nodes.ts';

type Request = Parameters<ChildServer['batches']['invokeBatch']>[0];

async function begun(node: ChildServer, request: Request): Promise<string> {
  const { batch } = await node.batches.invokeBatch(request);
  return batch?.batchId ?? '';
}

/** Nodes on which members of the batch run. */
async function runningOn(cluster: ClusterNodes, batchId: string): Promise<unknown[]> {
  const rows = await cluster.query(
    `SELECT n.name FROM spear.executions x JOIN spear.nodes n ON n.incarnation = x.owner
     WHERE x.batch_id = '${batchId}' AND x.status = 'running' ORDER BY n.name`,
  );
  return rows.map(({ name }) => name);
}

const soon = { backoff: { nanos: 1_000_000 } };
const long = { invocation: { task: 'loop' } };

describeWhere([postgres()], 'a batch in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  const twoNodes = async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add({ slots: '2' });
    const two = await cluster.add({ slots: '2' });
    await one.register('loop', 'misbehaving/loop.wasm');
    await one.register('exit', 'misbehaving/exit.wasm');
    const both = (batchId: string) =>
      expect.poll(() => runningOn(cluster, batchId)).toEqual(['n1', 'n1', 'n2', 'n2']);
    return { cluster, one, two, both };
  };

  test('ends with all of its members when it is cancelled on one node, and the nodes are well', async () => {
    const { one, two, both, cluster } = await twoNodes();
    const batchId = await begun(one, { members: [long, long, long, long] });
    await both(batchId);
    await two.batches.cancelBatch({ batchId, reason: 'enough' });
    const { batch } = await one.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ isCompleted: true, cancelled: 4 });
    const faults = await cluster.query("SELECT load::json->>'storeFault' AS fault FROM spear.nodes");
    expect(faults).toEqual([{ fault: '' }, { fault: '' }]);
  });

  test('ends with a member that fails, wherever the others run', async () => {
    const { two, both, cluster } = await twoNodes();
    const bad = { invocation: { task: 'exit', args: ['3'] } };
    const batchId = await begun(two, {
      members: [long, long, long, long, bad],
      onMemberFailure: MemberFailurePolicy.CANCEL_OTHERS,
    });
    await both(batchId);
    const third = await cluster.add({ slots: '2' });
    const { batch } = await third.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ isCompleted: true, failed: 1, cancelled: 4 });
  });

  test('that is supervised begins again on all nodes until a member has failed too often', async () => {
    const { one, two } = await twoNodes();
    const members = ['a', 'b', 'c'].map((name) => ({ name, ...long }));
    const batchId = await begun(one, {
      members: [...members, { name: 'bad', invocation: { task: 'exit', args: ['3'] } }],
      supervision: { strategy: SupervisionStrategy.ONE_FOR_ALL, intensity: 3, ...soon },
    });
    const { batch } = await two.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({
      ...{ isCompleted: true, failed: 1, cancelled: 3 },
      supervision: { phase: SupervisionPhase.ENDED, restarts: 3n },
    });
  });

  test('that is supervised ends when that is asked of another node', async () => {
    const { one, two, both } = await twoNodes();
    const batchId = await begun(one, {
      members: ['a', 'b', 'c', 'd'].map((name) => ({ name, ...long })),
      supervision: { strategy: SupervisionStrategy.ONE_FOR_ONE, intensity: 3, ...soon },
    });
    await both(batchId);
    await two.batches.cancelBatch({ batchId });
    const { batch } = await one.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ isCompleted: true, cancelled: 4 });
  });
});
