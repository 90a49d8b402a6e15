/** What all nodes of a cluster know, whichever of them was told. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import { refusal } from '../server/refusal.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { clusterOn } from './nodes.ts';

describeWhere([postgres()], 'tasks, aliases and quotas in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('are the same on all nodes as soon as a change of them is acknowledged', async () => {
    const cluster = await clusterOn(server);
    const [one, two] = [await cluster.add(), await cluster.add()];
    const outputOf = async (node: typeof one): Promise<string> =>
      Buffer.from(
        (await node.functions.invokeFunction({ task: 'ticker', args: ['1'] })).result?.output ?? [],
      ).toString();
    const task = await one.register('ticker', 'ticker/ticker.wasm');
    // The artifact comes from the database.
    expect(await outputOf(two)).toBe('tick 1\n');
    for (let revision = 2; revision <= 6; revision++) {
      const [writer, reader] = revision % 2 === 0 ? [two, one] : [one, two];
      await writer.tasks.updateTask({
        task: 'ticker',
        definition: { fairnessKey: `k${revision}` },
        updateMask: { paths: ['fairness_key'] },
      });
      const { result } = await reader.functions.invokeFunction({ task: 'ticker', args: ['1'] });
      expect(result).toMatchObject({ taskRevision: revision, fairnessKey: `k${revision}` });
    }
    await one.connection
      .service(RevisionService)
      .setAlias({ task: 'ticker', alias: 'live', shares: [{ revision: 2, percent: 100 }] });
    expect(await two.functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({
      result: { taskRevision: 2 },
    });
    await two.connection.service(QuotaService).setQuota({ tenant: 'default', quota: { weight: 7 } });
    expect(await one.connection.service(QuotaService).getQuota({ tenant: 'default' })).toMatchObject({
      quota: { quota: { weight: 7 } },
    });
    await two.tasks.deleteTask({ task: 'ticker' });
    expect(await refusal(one.functions.invokeFunction({ task: 'ticker' }))).toMatchObject({
      reason: 'TASK_NOT_FOUND',
    });
    const again = await one.register('ticker', 'ticker/ticker.wasm');
    expect(again.taskId).not.toBe(task.taskId);
    expect(await two.functions.invokeFunction({ task: 'ticker', args: ['1'] })).toMatchObject({
      result: { taskId: again.taskId },
    });
  });

  test('get no revision twice where nodes register at the same time', async () => {
    const cluster = await clusterOn(server);
    const nodes = [await cluster.add(), await cluster.add()];
    const registered = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        nodes[index % 2]?.register('echo', 'wordcount/wordcount.wasm', { description: `${index}` }),
      ),
    );
    const revisions = registered.map((answer) => answer?.revision ?? 0);
    expect([...revisions].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(new Set(registered.map((answer) => answer?.taskId)).size).toBe(1);
  });
});
