/** Whose executions the page shows, and who may choose. */
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../../../src/server/gen/spearlet/task_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { adminToken, example } from '../../support/server.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'the tenants of a node', () => {
  const site = useSite({ anonymousRole: 'none' }, async ({ grpcAddress, dataDir }) => {
    const token = adminToken(dataDir);
    const content = await example('misbehaving/loop.wasm');
    for (const tenant of ['default', 'shop']) {
      const connection = connect(grpcAddress, { token, tenant });
      const artifact = { source: { case: 'content' as const, value: content } };
      const definition = { name: 'loop', runtime: RuntimeKind.WASM, artifact };
      await connection.service(TaskService).registerTask({ definition });
      connection.close();
    }
  });

  function inTenant(tenant: string) {
    const { grpcAddress, dataDir } = site.server;
    const connection = connect(grpcAddress, { token: adminToken(dataDir), tenant });
    onTestFinished(() => connection.close());
    return connection;
  }

  /** Runs until the test is over. */
  async function loopIn(tenant: string): Promise<string> {
    const functions = inTenant(tenant).service(FunctionService);
    const { executionId } = await functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    onTestFinished(async () => {
      await functions.cancelExecution({ executionId });
      await functions.waitExecution({ executionId });
    });
    return executionId;
  }

  async function signedIn(path: string, role = Role.ADMIN, tenant = 'default'): Promise<Page> {
    const { code } = await inTenant(tenant).service(AccessService).createPageCode({ role });
    const { page } = await site.visit(`/${path}#code=${code}`);
    return page;
  }

  const choice = (page: Page) => page.getByRole('combobox', { name: 'Tenant', exact: true });
  const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();

  test('are chosen by an administrator: the list, its counts and its news are those of the one, or of all', async () => {
    const [own, other] = [await loopIn('default'), await loopIn('shop')];
    const page = await signedIn('');
    const list = new ListPage(page);
    await list.row(own).getByText('Running').waitFor();
    expect(await list.row(other).count()).toBe(0);
    expect(await list.counted('Running')).toBe(1);

    await choice(page).selectOption('shop');
    await list.row(other).getByText('Running').waitFor();
    expect(list.query()).toBe('?tenant=shop');
    expect(await list.row(own).count()).toBe(0);
    expect(await list.counted('Running')).toBe(1);

    await choice(page).selectOption('All tenants');
    await list.row(other).getByText('shop/').waitFor();
    await list.row(own).getByText('default/').waitFor();
    expect(list.query()).toBe('?tenant=*');
    await expect.poll(() => list.counted('Running')).toBe(2);
    const news = await loopIn('shop');
    await list.row(news).getByText('shop/').waitFor();
    await expect.poll(() => list.counted('Running')).toBe(3);
    const names = page.getByRole('combobox', { name: 'Task', exact: true }).locator('option');
    expect(await names.allTextContents()).toEqual(['All tasks', 'default/loop', 'default/noop', 'shop/loop']);
    await page.getByRole('combobox', { name: 'Task', exact: true }).selectOption('shop/loop');
    await expect.poll(() => list.row(own).count()).toBe(0);
    await list.row(other).waitFor();

    await choice(page).selectOption('default');
    await list.row(own).waitFor();
    expect(await list.row(other).count()).toBe(0);
    expect(list.query()).toBe('');
  });

  test('stay in the address: over a reload, a way back, and in a link that is sent', async () => {
    const other = await loopIn('shop');
    const page = await signedIn('?tenant=shop');
    const list = new ListPage(page);
    await list.row(other).getByRole('link').click();
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    expect(list.query()).toBe(`?tenant=shop&execution=${other}`);
    await page.reload();
    await seen.lit('running.attempting');
    await page.getByRole('link', { name: 'Executions' }).first().click();
    await list.row(other).waitFor();
    expect(list.query()).toBe('?tenant=shop');
    await page.getByRole('link', { name: 'Tree' }).click();
    await page.getByRole('treeitem').getByText('loop', { exact: true }).first().waitFor();
    expect(list.query()).toBe('?tenant=shop&view=tree');
  });

  test('are told apart where all are shown, also by what is done with an execution', async () => {
    const other = await loopIn('shop');
    const page = await signedIn(`?tenant=*&execution=${other}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    await page.locator('.execution-facts').getByText('shop', { exact: true }).waitFor();
    const item = await seen.inMenu(/Download history/);
    const [file] = await Promise.all([page.waitForEvent('download'), item.click()]);
    expect(await file.failure()).toBeNull();
    await page.getByRole('button', { name: 'Suspend', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await seen.lit('running.suspended');
    await page
      .getByRole('region', { name: 'Why it is here' })
      .getByText(/spear resume exec_\w+ .*--tenant shop/)
      .waitFor();
    expect(await page.getByRole('button', { name: /^Restore/ }).count()).toBe(0);
    await page.keyboard.press('b');
    await page.getByRole('dialog').getByText('To set or remove one, choose a tenant').waitFor();
    expect(await page.getByRole('dialog').getByRole('button', { name: 'Set', exact: true }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('status').getByText('Started loop again').waitFor();
    await expect.poll(() => new URL(page.url()).searchParams.get('execution')).not.toBe(other);
    const again = new URL(page.url()).searchParams.get('execution') ?? '';
    await seen.lit('running.attempting');
    const { result } = await inTenant('shop')
      .service(FunctionService)
      .getExecutionStatus({ executionId: again });
    expect(result?.tenant).toBe('shop');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel execution' }).click();
    await seen.lit('cancelled');
  });

  test('are nobody else’s to choose: a link to another shows the reader’s own', async () => {
    const [own, other] = [await loopIn('shop'), await loopIn('default')];
    const page = await signedIn('?tenant=default', Role.OPERATE, 'shop');
    const list = new ListPage(page);
    await list.row(own).waitFor();
    await live(page);
    expect(await list.row(other).count()).toBe(0);
    expect(await choice(page).count()).toBe(0);
    expect(list.query()).toBe('');
  });
});
