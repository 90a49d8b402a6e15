/** A batch of which a tenth fails is understood and run again from the page alone. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

const members = 200;

describeWhere([await chromium()], 'a batch on the page', () => {
  const site = useSite({ slots: '4' }, async (server) => {
    await server.register('trap', 'misbehaving/trap.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });

  /** One of `members`, of which each twentieth exits with 3 and each twentieth traps, in the end. */
  async function runBatch(task: string): Promise<string> {
    await site.server.register(task, 'misbehaving/exit.wasm');
    const { batch } = await site.server.batches.invokeBatch({
      members: Array.from({ length: members }, (_, n) => ({
        name: `m${n}`,
        invocation: n % 20 === 7 ? { task: 'trap' } : { task, args: [n % 20 === 3 ? '3' : '0'] },
      })),
    });
    const batchId = batch?.batchId ?? '';
    await site.server.batches.waitBatch({ batchId });
    return batchId;
  }

  const failuresOf = (page: Page) => page.getByRole('region', { name: 'What did not complete' });

  test('says why its members failed, leads to them, and runs them again once mended', async () => {
    const batchId = await runBatch('import');
    const { page } = await site.visit('/');
    await page.getByRole('link', { name: 'Batches' }).click();
    await page.getByRole('link', { name: batchId }).click();
    await page.getByRole('region', { name: 'Members' }).getByText('180 completed, 20 failed').waitFor();
    const failures = failuresOf(page);
    await expect.poll(() => failures.getByRole('row').count()).toBe(3);
    expect(await barriers(page)).toEqual([]);

    // From the group to its members, to one of them and back.
    await failures.getByRole('link', { name: '10 members: Failed FUNCTION_EXIT' }).click();
    const list = new ListPage(page);
    await expect.poll(() => list.count()).toBe(10);
    expect(list.query()).toBe(`?status=failed&batch=${batchId}&code=FUNCTION_EXIT`);
    await list.rows.first().getByRole('link', { name: 'import' }).click();
    await new ExecutionPage(page).lit('failed');
    await page.goBack();
    await expect.poll(() => list.count()).toBe(10);
    await page.goBack();

    // The program is mended, and those that it failed run again with what it is now.
    await site.server.register('import', 'misbehaving/cat.wasm');
    await failures.getByRole('button', { name: 'Run again the 10 with FUNCTION_EXIT' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('10 of 10 can run again.').waitFor();
    expect(await barriers(page)).toEqual([]);
    await dialog.getByLabel('With which revision').fill('newest');
    await dialog.getByLabel('With which revision').press('Tab');
    await dialog.getByRole('button', { name: 'Run 10 again' }).click();
    await dialog.getByText('All have ended: 10 of 10 ended').waitFor();
    await dialog.getByText('10 completed').waitFor();
    expect(await dialog.getByRole('link', { name: 'did not complete' }).count()).toBe(0);
    await dialog.getByRole('link', { name: 'The new executions' }).click();
    await expect.poll(() => list.count()).toBe(10);
    await expect.poll(() => list.states()).toEqual(Array(10).fill('Completed'));
    const { executions } = await site.server.functions.listExecutions({ task: 'import', pageSize: 1000 });
    expect(executions.filter((each) => each.rerunOfExecutionId !== '')).toHaveLength(10);
  });

  test('is run again once, says what cannot be and why, and what has failed anew', async () => {
    const batchId = await runBatch('import-again');
    const { page } = await site.visit(`/?view=batches&batch=${batchId}`);
    const open = () =>
      page
        .getByRole('region', { name: 'Batch' })
        .getByRole('button', { name: 'Run again', exact: true })
        .first()
        .click();
    await open();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Run 20 again' }).click();
    await dialog.getByText('All have ended: 20 of 20 ended').waitFor();
    await dialog.getByText('20 failed').waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();
    await open();
    await dialog.getByText('0 of 20 can run again.').waitFor();
    await dialog.getByText('20 were run again already').waitFor();
    expect(await dialog.getByRole('button', { name: 'Run again' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Also what was run again already').check();
    await dialog.getByRole('button', { name: 'Run 20 again' }).click();
    await dialog.getByText('All have ended: 20 of 20 ended').waitFor();
    await dialog.getByRole('link', { name: 'did not complete' }).click();
    await expect.poll(() => new ListPage(page).count()).toBe(20);
  });

  test('is run again from the list, as its filters say', async () => {
    const batchId = await runBatch('import-listed');
    const { page } = await site.visit(`/?status=failed&batch=${batchId}&task=import-listed`);
    const list = new ListPage(page);
    await expect.poll(() => list.count()).toBe(10);
    const button = page.getByRole('button', { name: 'Run again' });
    await button.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('10 of 10 can run again.').waitFor();
    await dialog.getByRole('button', { name: 'Do nothing' }).click();
    // What is found by a text is named one by one.
    await page.getByRole('searchbox').fill('exit');
    await expect.poll(() => list.count()).toBe(10);
    await button.click();
    await dialog.getByText('the 10 listed that have ended').waitFor();
    await dialog.getByRole('button', { name: 'Run 10 again' }).click();
    await dialog.getByText('All have ended: 10 of 10 ended').waitFor();
    const { executions } = await site.server.functions.listExecutions({
      task: 'import-listed',
      pageSize: 1000,
    });
    expect(executions).toHaveLength(members - 10 + 10);
  });

  test('offers nothing to who only observes, and its end to who may invoke', async () => {
    const { batch } = await site.server.batches.invokeBatch({
      members: [{ invocation: { task: 'loop' } }, { invocation: { task: 'trap' } }],
    });
    const batchId = batch?.batchId ?? '';
    const reader = async (role: Role): Promise<Page> => {
      const { code } = await site.server.connection.service(AccessService).createPageCode({ role });
      const { page } = await site.visit(`/?view=batches&batch=${batchId}#code=${code}`);
      await failuresOf(page).getByText('TRAP').waitFor();
      return page;
    };
    const observer = await reader(Role.OBSERVE);
    const view = observer.getByRole('region', { name: 'Batch' });
    expect(await view.getByRole('button').count()).toBe(0);
    const invoker = await reader(Role.INVOKE);
    await invoker.getByRole('button', { name: 'Run again the 1 with TRAP' }).waitFor();
    await invoker.getByRole('button', { name: 'Cancel batch' }).click();
    await invoker.getByRole('dialog').getByRole('button', { name: 'Cancel batch' }).click();
    await failuresOf(invoker)
      .getByRole('row', { name: /Cancelled/ })
      .waitFor();
    await failuresOf(observer)
      .getByRole('row', { name: /Cancelled/ })
      .waitFor();
  });
});
