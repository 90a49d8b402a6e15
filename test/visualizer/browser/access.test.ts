/** Nobody is kept out: no barrier that axe knows, both themes, and nothing that moves for who wants none. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'a reader of any kind', () => {
  const site = useSite({}, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('trap', 'misbehaving/trap.wasm');
    await server.register('mix', 'misbehaving/stderr-mix.wasm');
  });

  async function seeNoBarrier(page: Page, where: string): Promise<void> {
    expect(await barriers(page), where).toEqual([]);
  }

  test.each(['light', 'dark'] as const)('finds no barrier in %s', async (colorScheme) => {
    const running = await site.invoke({ task: 'loop' });
    const failed = await site.server.functions.invokeFunction({ task: 'trap' });
    await site.server.functions.invokeFunction({ task: 'mix' });
    const held = await site.invoke({ task: 'loop' });
    await site.server.functions.suspendExecution({ executionId: held });
    const { page } = await site.visit('/', { colorScheme });
    const list = new ListPage(page);
    await list.row(running).getByText('Running').waitFor();
    await seeNoBarrier(page, 'list');
    await page.keyboard.press('j');
    await seeNoBarrier(page, 'a chosen row');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await seeNoBarrier(page, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('b');
    await page.getByRole('dialog', { name: 'Breakpoints' }).getByText('Held or suspended now').waitFor();
    await seeNoBarrier(page, 'breakpoints');
    await page.keyboard.press('Escape');

    await page.keyboard.press('t');
    await page.getByRole('treeitem').first().waitFor();
    await seeNoBarrier(page, 'tree');
    await page.keyboard.press('v');
    await page.getByRole('columnheader', { name: 'Restarts' }).waitFor();
    await seeNoBarrier(page, 'tree as a table');

    const seen = new ExecutionPage(page);
    for (const [id, state] of [
      [running, 'running.attempting'],
      [held, 'running.suspended'],
      [failed.executionId, 'failed'],
    ] as const) {
      await page.goto(`${new URL(page.url()).origin}/?execution=${id}`);
      await seen.lit(state);
      await seeNoBarrier(page, state);
    }
    await (await seen.inMenu('Delete')).waitFor();
    await seeNoBarrier(page, 'the menu of an execution');
    await page.keyboard.press('Escape');
    await page.keyboard.press('[');
    await seen.past.waitFor();
    await seeNoBarrier(page, 'the past');
    for (const part of [seen.chart, seen.timeline]) await part.getByRole('button', { name: 'Table' }).click();
    await seen.chart.getByRole('table').first().waitFor();
    await seeNoBarrier(page, 'pictures as tables');
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width: 390, height: 844 });
    await seeNoBarrier(page, 'narrow');
    await site.cancel(running);
    await site.cancel(held);
  });

  test('would find a barrier in what is seen and in what is selected', async () => {
    const { page } = await site.visit('/');
    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<div id="barred"><button></button><p>pale</p></div>');
      // The content policy of the page takes no style attribute; contrast is told of what nothing covers.
      const pale = document.querySelector<HTMLElement>('#barred p');
      if (pale !== null)
        Object.assign(pale.style, {
          color: '#777',
          background: '#888',
          position: 'fixed',
          top: '0',
          zIndex: '9',
        });
    });
    for (const found of [await barriers(page), await barriers(page, '#barred')]) {
      expect(found).toContainEqual(expect.stringMatching(/^button-name: <button>/));
      expect(found).toContainEqual(expect.stringMatching(/^color-contrast: <p /));
    }
    await expect(barriers(page, '#nowhere')).rejects.toThrow('no #nowhere');
  });

  test('has the theme of their system, or the one they chose, from then on', async () => {
    const { page } = await site.visit('/', { colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(ground).not.toBe(dark);
    await page.getByRole('button', { name: /^Theme: as the system has it/ }).click();
    await page.getByRole('button', { name: /^Theme: light/ }).waitFor();
    await page.keyboard.press('\\');
    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
    await expect.poll(() => ground()).toBe(dark);
    await page.reload();
    await page.getByRole('button', { name: /^Theme: dark/ }).waitFor();
    await expect.poll(() => ground()).toBe(dark);
  });

  test('who wants nothing to move sees nothing move', async () => {
    const executionId = await site.invoke({ task: 'loop' });
    const moving = (page: Page) =>
      page.evaluate(() =>
        document
          .getAnimations()
          .filter(({ playState, effect }) => {
            const { duration } = effect?.getComputedTiming() ?? {};
            return playState === 'running' && Number(duration) > 10;
          })
          .map((animation) => String((animation.effect as KeyframeEffect).target?.className)),
      );
    const { page } = await site.visit('/', { reducedMotion: 'reduce' });
    await new ListPage(page).row(executionId).getByText('Running').waitFor();
    expect(await moving(page)).toEqual([]);
    await page.goto(`${new URL(page.url()).origin}/?execution=${executionId}`);
    await new ExecutionPage(page).lit('running.attempting');
    expect(await moving(page)).toEqual([]);
    await site.cancel(executionId);
  });

  test('is told each state in a word, and not by its colour alone', async () => {
    await site.server.functions.invokeFunction({ task: 'trap' });
    await site.server.functions.invokeFunction({ task: 'mix' });
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    for (const word of ['Failed', 'Completed']) {
      const mark = list.rows.locator('.mark', { hasText: word }).first();
      await mark.waitFor();
      await expect.poll(() => mark.locator('svg').count()).toBe(1);
    }
    const shapes = await list.rows
      .locator('.mark')
      .evaluateAll((marks) => marks.map((mark) => [mark.textContent, mark.querySelector('svg')?.innerHTML]));
    const words = new Map(shapes.map(([word, shape]) => [shape, word]));
    expect(words.size).toBe(new Set(shapes.map(([word]) => word)).size);
  });
});
