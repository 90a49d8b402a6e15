/** A supervised batch in the tree of the page, as its reader sees it. */
import { expect, test } from 'vitest';
import { RestartPolicy, SupervisionStrategy } from '../../../src/server/gen/spearlet/batch_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'a supervised batch on the page', () => {
  const site = useSite({ slots: '4' }, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('exit', 'misbehaving/exit.wasm');
  });

  test('is a branch of the tree with its members and their restarts, until it ends', async () => {
    const { batches } = site.server;
    const { batch } = await batches.invokeBatch({
      members: [
        { name: 'db', invocation: { task: 'loop' } },
        { name: 'api', invocation: { task: 'exit', args: ['3'] } },
      ],
      // What begins again waits for as long as the page is looked at.
      supervision: {
        strategy: SupervisionStrategy.ONE_FOR_ONE,
        backoff: { seconds: 600n },
        maxBackoff: { seconds: 600n },
      },
    });
    const batchId = batch?.batchId ?? '';
    const { page } = await site.visit('/?view=tree');
    const line = (text: string) => page.getByRole('treeitem').filter({ hasText: text });
    await line('batches').getByText('1 supervised').waitFor();
    await line(batchId).getByText('one for one').waitFor();
    await line(batchId).getByText('1 of 3 restarts within 60s').waitFor();
    await line(batchId).getByText('1 restart', { exact: true }).waitFor();
    const [first, second] = (await batches.listBatchMembers({ batchId })).members;
    await line(first?.executionId ?? '')
      .getByRole('link', { name: 'db' })
      .waitFor();
    await line(second?.executionId ?? '')
      .getByText('1 restart', { exact: true })
      .waitFor();
    await batches.cancelBatch({ batchId });
    await batches.waitBatch({ batchId });
    await line('batches').waitFor({ state: 'detached' });
  });

  test('is drawn on the page of the batch, with its rules and its restarts, also when it has ended', async () => {
    const { batches } = site.server;
    const { batch } = await batches.invokeBatch({
      members: [
        { name: 'db', invocation: { task: 'loop' }, restart: RestartPolicy.PERMANENT },
        { name: 'api', invocation: { task: 'exit', args: ['3'] }, restart: RestartPolicy.TRANSIENT },
      ],
      supervision: {
        strategy: SupervisionStrategy.REST_FOR_ONE,
        backoff: { seconds: 600n },
        maxBackoff: { seconds: 600n },
      },
    });
    const batchId = batch?.batchId ?? '';
    const { page } = await site.visit(`/?view=batches&batch=${batchId}`);
    const tree = page.getByRole('region', { name: 'Supervision' });
    const supervisor = tree.getByRole('listitem').first();
    await supervisor.getByText('rest for one').waitFor();
    await supervisor.getByText('1 of 3 restarts within 60s').waitFor();
    await supervisor.getByText('it and those behind it are stopped').waitFor();
    const members = supervisor.getByRole('listitem');
    await members.nth(0).getByRole('link', { name: 'db' }).waitFor();
    await members.nth(0).getByText('permanent').waitFor();
    await members.nth(1).getByText('transient').waitFor();
    await members.nth(1).getByText('1 restart', { exact: true }).waitFor();
    expect(await members.count()).toBe(2);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Cancel batch' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel batch' }).click();
    await supervisor.getByText('It ends:').waitFor();
    await members.nth(0).getByText('Cancelled').waitFor();
    await members.nth(0).getByRole('link', { name: 'db' }).click();
    await new ExecutionPage(page).lit('cancelled');
  });
});
