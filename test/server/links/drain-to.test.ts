/** A node of a cluster that is drained to one of an administrator's choice. */
import { afterAll, beforeAll, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import { ClusterService } from '../../../src/server/gen/spearlet/cluster_pb.js';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { run } from '../../cli/spear.ts';
import { describeWhere } from '../../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../../support/postgres.ts';
import { adminToken, type ChildServer } from '../../support/server.ts';
import { refusal } from '../refusal.ts';
import { start, untilState } from '../spawned.ts';
import { clusterOf } from './cluster-nodes.ts';

const within = { timeout: 60_000 };

describeWhere([postgres()], 'a node that is drained to another one', () => {
  let engine: PostgresServer;
  beforeAll(async () => {
    engine = await startPostgres();
  });
  afterAll(() => engine.remove());

  async function started() {
    const cluster = await clusterOf((await engine.database()).url);
    const nodes: ChildServer[] = [];
    for (const name of ['one', 'two', 'three']) {
      nodes.push(await cluster.start(name, { grpcAddress: '127.0.0.1:0', drainMs: '100' }));
    }
    const [one, two, three] = nodes as [ChildServer, ChildServer, ChildServer];
    const connection = connect(one.grpcAddress, { token: adminToken(one.dataDir) });
    onTestFinished(() => connection.close());
    const service = connection.service(ClusterService);
    const serving = async () =>
      (await service.listNodes({})).nodes.filter(({ state }) => state === 'serving').map(({ name }) => name);
    await expect.poll(serving, within).toEqual(['one', 'three', 'two']);
    return { one, two, three, service };
  }

  test('leaves that one what waits and what runs', async () => {
    const { one, two, three } = await started();
    await one.register('ticker', 'ticker/ticker.wasm');
    const waiting: string[] = [];
    for (let count = 0; count < 20; count++) {
      waiting.push(await start(two, { task: 'ticker', args: ['1'], startAfter: { seconds: 1000n } }));
    }
    const running = await start(two, { task: 'ticker', args: ['100', '50'] });
    await untilState(two, running, 'running.attempting');
    onTestFailed(() => console.log([...two.output.slice(-15), ...three.output.slice(-15)].join('\n')));
    const drained = await run(['node', 'drain', 'two', '--to', 'three', '--address', one.grpcAddress], {
      env: { SPEAR_TOKEN: adminToken(one.dataDir) },
    });
    expect(drained.code).toBe(0);
    expect(drained.stderr.toString()).toContain('two gives what it has to three');
    const nodeOf = async (executionId: string) =>
      (await one.functions.getExecutionStatus({ executionId })).node;
    for (const id of waiting) await expect.poll(() => nodeOf(id), within).toBe('three');
    for (const executionId of waiting) {
      expect(await one.functions.cancelExecution({ executionId })).toMatchObject({ changed: true });
    }
    const { result } = await one.functions.waitExecution({ executionId: running });
    expect(result).toMatchObject({ status: ExecutionStatus.COMPLETED });
  });

  test('is told why a node cannot have it, before anything is done', async () => {
    const { two, three, service } = await started();
    const drain = (to: string) => refusal(service.drainNode({ node: 'two', to }));
    expect(await drain('nobody')).toMatchObject({ code: 'NOT_FOUND', reason: 'NODE_NOT_FOUND' });
    expect(await drain('two')).toMatchObject({
      code: 'INVALID_ARGUMENT',
      fields: { to: expect.stringContaining('allowed are "one", "three"') },
    });
    expect(await drain('x'.repeat(300))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    await service.cordonNode({ node: 'three' });
    const isCordoned = async () =>
      (await service.listNodes({})).nodes.find(({ name }) => name === 'three')?.cordoned;
    await expect.poll(isCordoned, within).toBe(true);
    expect(await drain('three')).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NODE_NOT_FIT' });
    await three.end('SIGKILL');
    await expect.poll(async () => (await drain('three')).reason, within).toBe('NODE_NOT_FOUND');
    const { nodes } = await service.listNodes({});
    expect(nodes.find(({ name }) => name === 'two')).toMatchObject({ cordoned: false, state: 'serving' });
    expect(two.process.exitCode).toBeNull();
  });
});
