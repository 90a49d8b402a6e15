/** A cluster of real nodes, as a reader of one of them sees it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { ClusterService } from '../../../src/server/gen/spearlet/cluster_pb.js';
import { clusterOn } from '../../cluster/nodes.ts';
import { start } from '../../server/spawned.ts';
import { sharedBrowser, visit } from '../../support/browser.ts';
import { chromium, describeWhere } from '../../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../../support/postgres.ts';
import { barriers } from './barriers.ts';

describeWhere([await chromium(), postgres()], 'the nodes of a cluster on the page', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('are listed with what they do, and one that is gone is not', async () => {
    const cluster = await clusterOn(server);
    const one = await cluster.add();
    const two = await cluster.add({ labels: 'zone=b', slots: '3' });
    await one.register('there', 'misbehaving/loop.wasm', { runsOn: { zone: 'b' } });
    const visited = await visit(await sharedBrowser(), one.httpAddress);
    const { page } = visited;
    const access = one.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'reader', role: Role.ADMIN });
    await visited.open(`/?view=tree#token=${secret}`);
    const nodes = page.getByRole('region', { name: 'Nodes of the cluster' });
    await nodes.getByRole('row', { name: /n1 this one Serving/ }).waitFor();
    const second = nodes.getByRole('row', { name: /^n2/ });
    await second.getByText('zone=b').waitFor();
    expect(await barriers(page)).toEqual([]);

    const executionId = await start(one, { task: 'there' });
    await second.getByRole('cell', { name: '1 / 3' }).waitFor();
    await one.functions.cancelExecution({ executionId });
    await second.getByRole('cell', { name: '0 / 3' }).waitFor();

    await one.connection.service(ClusterService).cordonNode({ node: 'n2' });
    await second.getByText('cordoned').waitFor();

    await two.end('SIGKILL');
    // One that is alone is the tree itself.
    await nodes.waitFor({ state: 'detached' });
    expect(visited.faults).toEqual([]);
    await visited.close();
  });
});
