/** What the page offers to readers of each role, and what the node refuses them. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

const acts = ['Suspend', 'Cancel', 'Run again'];
const whileRunning = [...acts, 'Breakpoints', 'Download snapshot', 'Restore'];

describeWhere([await chromium()], 'a reader with a role', () => {
  const site = useSite({ anonymousRole: 'none' }, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('cat', 'misbehaving/cat.wasm');
  });

  /** As whoever has a link of `spear page --role`. */
  async function reader(role: Role, path = ''): Promise<Page> {
    const { code } = await site.server.connection.service(AccessService).createPageCode({ role });
    const { page } = await site.visit(`/${path}#code=${code}`);
    return page;
  }

  /** The things that can be done, of those that are done with buttons and those in the menu. */
  async function offered(page: Page): Promise<readonly string[]> {
    const view = page.locator('article.execution');
    await view.getByRole('button', { name: /^(More|Download)$/ }).click();
    await view.getByRole('menuitem', { name: /Download history/ }).waitFor();
    const found: string[] = [];
    for (const name of whileRunning) {
      const button = page.getByRole('button', { name, exact: true });
      const inBar = name === 'Restore' ? page.getByRole('button', { name: /^Restore/ }) : button;
      const item = view.getByRole('menuitem', { name: new RegExp(`^${name}`) });
      const count =
        name === 'Breakpoints' ? await item.count() : (await inBar.count()) + (await item.count());
      if (count > 0) found.push(name);
    }
    await page.keyboard.press('Escape');
    return found;
  }

  test.each([
    ['observe', Role.OBSERVE, 'Read only', []],
    ['invoke', Role.INVOKE, 'May invoke', acts],
    ['develop', Role.DEVELOP, 'May develop', [...acts, 'Breakpoints']],
    ['operate', Role.OPERATE, 'May operate', whileRunning],
  ])('%s is offered what the role allows, and told the role', async (_name, role, badge, allowed) => {
    const executionId = await site.invoke({ task: 'loop' });
    const page = await reader(role, `?execution=${executionId}`);
    await new ExecutionPage(page).lit('running.attempting');
    const told = page.getByText(badge, { exact: true });
    await expect.poll(() => told.getAttribute('title')).toMatch(/the role .*spear page/);
    expect(await offered(page)).toEqual(allowed);
    await site.cancel(executionId);
  });

  test('admin is offered everything, and told nothing of it', async () => {
    const executionId = await site.invoke({ task: 'loop' });
    const page = await reader(Role.ADMIN, `?execution=${executionId}`);
    await new ExecutionPage(page).lit('running.attempting');
    expect(await offered(page)).toEqual(whileRunning);
    expect(await page.getByText(/^(Read only|May )/).count()).toBe(0);
    await site.cancel(executionId);
  });

  test('observe is refused by the node, too, whatever its page sends', async () => {
    const executionId = await site.invoke({ task: 'loop' });
    const page = await reader(Role.OBSERVE, `?execution=${executionId}`);
    await new ExecutionPage(page).lit('running.attempting');
    const answer = await page.evaluate(async (id) => {
      const response = await fetch('/api/FunctionService/CancelExecution', {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${localStorage.getItem('spear.session')}`,
        },
        body: JSON.stringify({ executionId: id }),
      });
      return [response.status, await response.text()] as const;
    }, executionId);
    expect(answer[0]).toBe(403);
    expect(answer[1]).toContain('ROLE_MISSING');
    const { result } = await site.server.functions.getExecutionStatus({ executionId });
    expect(result?.status).toBe(ExecutionStatus.RUNNING);
    await site.cancel(executionId);
  });

  test('observe sees breakpoints and what they hold, and cannot change either', async () => {
    await site.server.nodes.setBreakpoint({ breakpoint: { task: 'cat', before: 'running.attempting' } });
    const executionId = await site.invoke({ task: 'cat' });
    const page = await reader(Role.OBSERVE);
    await page.getByText('Held').first().waitFor();
    await page.keyboard.press('b');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('cell', { name: /before an attempt starts/ }).waitFor();
    await dialog.getByRole('row', { name: new RegExp(executionId) }).waitFor();
    for (const name of ['Remove', 'Set', 'Resume', 'Cancel']) {
      expect(await dialog.getByRole('button', { name, exact: true }).count()).toBe(0);
    }
    const { breakpoints } = await site.server.nodes.listBreakpoints({});
    for (const { breakpointId } of breakpoints) await site.server.nodes.deleteBreakpoint({ breakpointId });
    await site.cancel(executionId);
  });

  test('invoke cancels, deletes nothing, and runs again without the values that it may not see', async () => {
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'cat',
      input: Buffer.from('the first'),
      environment: { SHADE: 'a secret' },
    });
    const page = await reader(Role.INVOKE, `?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await (await seen.inMenu(/history/)).waitFor();
    expect(await page.getByRole('menuitem', { name: /^(Delete|Download snapshot)/ }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Run again' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It had values for SHADE').waitFor();
    expect(await dialog.getByLabel(/^Environment/).inputValue()).toBe('');
    await dialog.getByLabel(/^Environment/).fill('SHADE=mine');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('status').getByText('Started cat again').waitFor();
    await expect.poll(() => seen.outputText()).toEqual(['the first']);

    const running = await site.invoke({ task: 'loop' });
    await page.goto(`${new URL(page.url()).origin}/?execution=${running}`);
    await seen.lit('running.attempting');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel execution' }).click();
    await seen.lit('cancelled');
  });
});
