/** The whole page without a mouse. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'a reader without a mouse', () => {
  const site = useSite({}, async (server) => {
    await server.register('wc', 'wordcount/wordcount.wasm');
    for (let left = 5; left > 0; left -= 1) await server.functions.invokeFunction({ task: 'wc' });
  });

  /** The element that has the focus: its name, and whether the reader can see that it has it. */
  const focused = (page: Page) =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const looks = () => {
        const near = [element.parentElement, element, ...element.children].filter((each) => each !== null);
        return near
          .map((each) => {
            const { outline, boxShadow, border, stroke, strokeWidth } = getComputedStyle(each);
            return [outline, boxShadow, border, stroke, strokeWidth].join();
          })
          .join();
      };
      const withFocus = looks();
      element.blur();
      const without = looks();
      element.focus({ preventScroll: true });
      const box = element.getBoundingClientRect();
      return {
        name: (element.getAttribute('aria-label') ?? element.textContent ?? '').trim(),
        marked: withFocus !== without,
        inView: box.width > 0 && box.bottom > 0 && box.top < window.innerHeight,
        isBody: element === document.body,
      };
    });

  test('moves through the list, opens one, and comes back to where they were', async () => {
    const { page } = await site.visit('/?task=wc');
    const list = new ListPage(page);
    await expect.poll(() => list.count()).toBe(5);
    for (const key of ['j', 'j', 'ArrowDown', 'k']) await page.keyboard.press(key);
    const chosen = page.locator('.row[aria-selected=true]');
    await chosen.and(page.locator('[aria-rowindex="3"]')).waitFor();
    const id = (await chosen.getAttribute('id'))?.replace('row-', '');
    await page.keyboard.press('Enter');
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await expect.poll(() => new URL(page.url()).searchParams.get('execution')).toBe(id);
    await page.keyboard.press('Escape');
    await page.locator(`#row-${id}[aria-selected=true]`).waitFor();
    await page.keyboard.press('Escape');
    await chosen.waitFor({ state: 'detached' });
  });

  test('searches, filters and takes it back', async () => {
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('jkbt?');
    await page.getByRole('heading', { name: 'No execution matches' }).waitFor();
    // What is typed is text, and no key of the page.
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.keyboard.press('Escape');
    await list.rows.first().waitFor();
    await page.keyboard.press('f');
    await expect.poll(() => list.query()).toBe('?status=failed,timedOut');
    await page.keyboard.press('x');
    await expect.poll(() => list.query()).toBe('');
  });

  test('is told how to find what a deleted task has run', async () => {
    await site.server.register('hog', 'wordcount/wordcount.wasm');
    const { executionId } = await site.server.functions.invokeFunction({ task: 'hog' });
    await site.server.tasks.deleteTask({ task: 'hog' });
    const { page } = await site.visit('/?task=hog');
    await page.getByText('There is no task of the name hog.').waitFor();
    await page.getByRole('button', { name: 'Search for “hog”' }).click();
    await page.locator(`#row-${executionId}`).waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe('?q=hog');
  });

  test('reads which keys there are, in each view', async () => {
    const { page } = await site.visit('/?task=wc');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await page.keyboard.press('?');
    for (const words of ['Next execution', 'Search', 'This help']) await dialog.getByText(words).waitFor();
    // Keys of the page do nothing under a dialog.
    await page.keyboard.press('t');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expect.poll(() => new URL(page.url()).searchParams.get('view')).toBe(null);
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await new ExecutionPage(page).lit('completed');
    await page.keyboard.press('?');
    for (const words of ['Previous transition', 'Back to the list', 'Follow what is written', 'Zoom in'])
      await dialog.getByText(words).waitFor();
    for (const part of ['Slider', 'Timeline', 'Events', 'Chart', 'Output'])
      await dialog.getByRole('heading', { name: `${part}, in focus` }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.keyboard.press('t');
    await page.getByRole('tree').waitFor();
    await page.keyboard.press('?');
    await dialog.getByText('Fold, or to what it is under').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('e');
    await list.grid.waitFor();
  });

  test('comes by Tab to all that can be used, in the order of the page, and sees where they are', async () => {
    const { page } = await site.visit('/?task=wc');
    const list = new ListPage(page);
    await list.rows.first().waitFor();
    const names: string[] = [];
    const hidden: string[] = [];
    for (let steps = 40; steps > 0; steps -= 1) {
      await page.keyboard.press('Tab');
      const { name, marked, inView, isBody } = await focused(page);
      if (isBody || names.includes(name)) break;
      names.push(name);
      if (!marked || !inView) hidden.push(name);
    }
    const order = [
      'Skip to the content',
      'Spear, all executions',
      'Executions',
      'Tree',
      'Queue',
      'Keys',
      'Task',
      'Time',
    ];
    expect(names.filter((name) => order.includes(name))).toEqual(order);
    expect(names.at(-1)).toBe('Executions, newest first');
    expect(hidden).toEqual([]);
  });

  test('skips to the content', async () => {
    const { page } = await site.visit('/?task=wc');
    await new ListPage(page).rows.first().waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
  });

  test('goes through the parts of an execution, and into its chart', async () => {
    const { executionId } = await site.server.functions.invokeFunction({ task: 'wc' });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    const hidden: string[] = [];
    const names: string[] = [];
    for (let steps = 80; steps > 0; steps -= 1) {
      await page.keyboard.press('Tab');
      const { name, marked, isBody } = await focused(page);
      if (isBody) break;
      names.push(name);
      if (!marked) hidden.push(name);
    }
    expect(hidden).toEqual([]);
    const parts = [
      /^Event of the log$/,
      /^Timeline: /,
      /^State pending\.queued/,
      /^Context$/,
      /events; Enter travels to one$/,
      /^What the function wrote$/,
    ];
    const places = parts.map((part) => names.findIndex((name) => part.test(name)));
    expect(places).not.toContain(-1);
    expect(places).toEqual(places.toSorted((a, b) => a - b));

    await seen.events.getByRole('listbox').focus();
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await seen.past.waitFor();
    await seen.lit('pending.queued');
    await page.keyboard.press('j');
    await seen.lit('running.attempting');
    await page.keyboard.press('Escape');
    await seen.past.waitFor({ state: 'detached' });
  });

  test('opens the menu of an execution, goes through it, and leaves it', async () => {
    const { executionId } = await site.server.functions.invokeFunction({ task: 'wc' });
    const { page } = await site.visit(`/?execution=${executionId}`);
    await new ExecutionPage(page).lit('completed');
    const more = page.getByRole('button', { name: 'More' });
    const words = () => page.evaluate(() => document.activeElement?.textContent?.trim());
    await more.focus();
    await page.keyboard.press('ArrowDown');
    await expect.poll(words).toMatch(/^Download history/);
    await page.keyboard.press('ArrowUp');
    await expect.poll(words).toBe('Delete');
    await page.keyboard.press('d');
    await expect.poll(words).toMatch(/^Download history/);
    // It leaves the menu, and not the execution.
    await page.keyboard.press('Escape');
    await page.getByRole('menu').waitFor({ state: 'detached' });
    await expect.poll(words).toBe('More');
    await page.keyboard.press('Enter');
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('heading', { name: 'Delete this execution?' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(words).toBe('More');
    await expect.poll(() => new URL(page.url()).searchParams.get('execution')).toBe(executionId);
  });

  test('takes notices away, and goes on where they were', async () => {
    const { page } = await site.visit('/?task=wc');
    await new ListPage(page).rows.first().waitFor();
    const set = async () => {
      await page.keyboard.press('b');
      await page.getByRole('dialog').getByRole('button', { name: 'Set', exact: true }).click();
      await page.getByRole('status').getByText('Breakpoint set').waitFor();
      await page.keyboard.press('Escape');
    };
    await set();
    await page.keyboard.press('d');
    await page.getByRole('button', { name: 'Dismiss' }).waitFor({ state: 'detached' });
    await set();
    await page.getByRole('button', { name: 'Dismiss' }).press('Enter');
    await page.getByRole('button', { name: 'Dismiss' }).waitFor({ state: 'detached' });
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('main');
  });
});
