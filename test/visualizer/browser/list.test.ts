/** The list of a node that is at work. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

const hour = durationFromMs(3_600_000);

describeWhere([await chromium()], 'the list of a node at work', () => {
  const site = useSite({}, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('trap', 'misbehaving/trap.wasm');
    await server.register('wc', 'wordcount/wordcount.wasm');
  });

  test('shows each state of an execution as it comes, among many others', async () => {
    site.putUnderLoad();
    const { page } = await site.visit('/?status=running,pending,cancelled');
    const list = new ListPage(page);
    const executionId = await site.invoke({ task: 'loop', startAfter: hour });
    const row = list.row(executionId);
    await row.getByText('Waiting').waitFor();
    await site.server.functions.suspendExecution({ executionId });
    await row.getByText('Held').waitFor();
    await site.server.functions.resumeExecution({ executionId });
    await row.getByText('Waiting').waitFor();
    await site.cancel(executionId);
    await row.getByText('Cancelled', { exact: true }).waitFor();

    const other = await site.invoke({ task: 'loop' });
    await list.row(other).getByText('Running').waitFor();
    await list.row(other).locator('.ticking').waitFor();
    await site.cancel(other);
    await list.row(other).getByText('Cancelled', { exact: true }).waitFor();
    await list.row(other).locator('.ticking').waitFor({ state: 'detached' });
    await expect.poll(() => list.row(other).locator('.error').textContent()).toContain('CANCELLED');
  });

  test('counts each status as the node does', async () => {
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    await Promise.all([1, 2, 3].map(() => site.server.functions.invokeFunction({ task: 'trap' })));
    const { node } = await site.server.nodes.getNode({});
    const counted = (status: ExecutionStatus) =>
      Number(node?.counts.find((each) => each.status === status)?.count ?? 0);
    expect(counted(ExecutionStatus.FAILED)).toBeGreaterThanOrEqual(3);
    await expect.poll(() => list.counted('Failed')).toBe(counted(ExecutionStatus.FAILED));
    await expect.poll(() => list.counted('Completed')).toBe(counted(ExecutionStatus.COMPLETED));
    await expect.poll(() => list.counted('Cancelled')).toBe(counted(ExecutionStatus.CANCELLED));
    await expect.poll(() => list.counted('Running')).toBe(0);
  });

  test('holds its filters in the address bar, for the back button, a reload and somebody else', async () => {
    await Promise.all(
      ['trap', 'trap', 'wc', 'wc'].map((task) => site.server.functions.invokeFunction({ task })),
    );
    site.putUnderLoad();
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    await list.chip('Failed').click();
    await expect.poll(async () => [...new Set(await list.states())]).toEqual(['Failed']);
    await page.getByLabel('Task', { exact: true }).selectOption('trap');
    await expect.poll(() => list.query()).toBe('?status=failed&task=trap');
    await page.getByLabel('Time', { exact: true }).selectOption('1h');
    await expect.poll(() => list.query()).toBe('?status=failed&task=trap&since=1h');
    const { executions } = await site.server.functions.listExecutions({ task: 'trap' });
    await expect.poll(() => list.count()).toBe(executions.length);

    await page.goBack();
    await page.goBack();
    await expect.poll(() => list.query()).toBe('?status=failed');
    await page.goForward();
    await expect.poll(() => list.query()).toBe('?status=failed&task=trap');
    await page.reload();
    await expect.poll(() => list.count()).toBe(executions.length);
    await expect.poll(() => page.getByLabel('Task', { exact: true }).inputValue()).toBe('trap');
    await expect.poll(() => list.chip('Failed').getAttribute('aria-pressed')).toBe('true');

    const other = await site.visit('/?status=completed&task=wc');
    const theirs = new ListPage(other.page);
    await theirs.rows.first().waitFor();
    await expect.poll(async () => [...new Set(await theirs.states())]).toEqual(['Completed']);
    const tasks = async () => [...new Set(await theirs.rows.locator('.task').allTextContents())];
    await expect.poll(tasks).toEqual(['wc']);
  });

  test('finds by text and by id, and keeps what is sought in the address', async () => {
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'wc',
      metadata: { order: 'amber-4711' },
    });
    site.putUnderLoad();
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    await page.keyboard.press('/');
    await page.keyboard.type('amber-4711');
    await list.row(executionId).waitFor();
    await expect.poll(() => list.count()).toBe(1);
    await expect.poll(() => list.query()).toBe('?q=amber-4711');
    await page.reload();
    await list.row(executionId).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type(executionId);
    await page.getByText('Enter opens it').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'wc', level: 1 }).waitFor();
    await expect.poll(() => list.query()).toBe(`?execution=${executionId}`);
    await page.goBack();
    await list.row(executionId).waitFor();
  });

  test('lets go of what is deleted, and one that is open stays as it was read', async () => {
    const { executionId } = await site.server.functions.invokeFunction({ task: 'trap' });
    const other = await site.server.functions.invokeFunction({ task: 'trap' });
    site.putUnderLoad();
    const { page } = await site.visit('/?task=trap');
    const list = new ListPage(page);
    await list.row(executionId).waitFor();
    const reader = await site.visit(`/?task=trap&execution=${executionId}`);
    const seen = new ExecutionPage(reader.page);
    await seen.lit('failed');
    const events = await site.lastSequence(executionId);
    await expect.poll(() => seen.eventCount()).toBe(events);
    await site.server.functions.deleteExecution({ executionId });
    await list.row(executionId).waitFor({ state: 'detached' });
    await list.row(other.executionId).waitFor();
    await reader.page
      .getByRole('alert')
      .getByText(/the node has it no more/)
      .waitFor();
    expect(await seen.eventCount()).toBe(events);
    for (const name of ['Run again', 'More', 'Download']) {
      await expect.poll(() => reader.page.getByRole('button', { name, exact: true }).count()).toBe(0);
    }
    await reader.page.keyboard.press('Escape');
    await new ListPage(reader.page).row(other.executionId).waitFor();
    await expect.poll(() => new ListPage(reader.page).row(executionId).count()).toBe(0);
  });

  test('announces newer ones to a reader who scrolled down, and moves nothing under their eyes', async () => {
    await site.runNothing(100);
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    await list.grid.evaluate((grid) => grid.scrollTo(0, 34 * 40));
    const looked = page.locator('.row[aria-rowindex="45"]');
    await looked.waitFor();
    const id = await looked.getAttribute('id');
    const before = await page.locator(`#${id}`).boundingBox();
    site.putUnderLoad();
    const fresh = page.getByRole('button', { name: / new$/ });
    await fresh.waitFor();
    await expect.poll(async () => Number.parseInt((await fresh.textContent()) ?? '', 10)).toBeGreaterThan(50);
    expect(await page.locator(`#${id}`).boundingBox()).toEqual(before);
    await fresh.click();
    await fresh.waitFor({ state: 'detached' });
    await expect.poll(() => list.grid.evaluate((grid) => grid.scrollTop)).toBe(0);
    expect(await page.locator('.row[aria-rowindex="2"]').getAttribute('id')).not.toBe(id);
  });

  test('is where it was left when the reader comes back from an execution', async () => {
    await site.runNothing(100);
    const { page } = await site.visit('/?task=noop');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    const scrollTop = () => list.grid.evaluate((grid) => grid.scrollTop);
    await list.grid.evaluate((grid) => grid.scrollTo(0, 34 * 40));
    const looked = page.locator('.row[aria-rowindex="45"]');
    await looked.waitFor();
    const id = await looked.getAttribute('id');
    const before = await scrollTop();
    await looked.click();
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'Events' }).waitFor();
    await page.keyboard.press('Escape');
    await page.locator(`#${id}`).waitFor();
    expect(await scrollTop()).toBe(before);
  });

  test('reads older pages as the reader scrolls, to the last one that the node has', async () => {
    await site.runNothing(600);
    const { page } = await site.visit('/?task=noop');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    const end = page.getByText(/ in all\.$/);
    while (!(await end.isVisible())) {
      const known = await list.count();
      await list.grid.evaluate((grid) => grid.scrollTo(0, grid.scrollHeight));
      await expect.poll(async () => (await list.count()) > known || (await end.isVisible())).toBe(true);
    }
    expect(await list.rows.count()).toBeLessThan(100);
    let all = 0;
    let pageToken = '';
    do {
      const { executions, nextPageToken } = await site.server.functions.listExecutions({
        task: 'noop',
        pageToken,
      });
      all += executions.length;
      pageToken = nextPageToken;
    } while (pageToken !== '');
    await expect.poll(() => list.count()).toBe(all);
  });
});
