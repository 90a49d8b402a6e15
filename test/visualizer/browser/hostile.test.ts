/** What a function writes is text, however it is meant, and however much. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

const markup =
  '<script>window.owned = 1</script><img src=x onerror="window.owned = 1"><svg onload="window.owned = 1"></svg>' +
  '<a href="javascript:window.owned = 1">x</a><style>* { display: none }</style>';
const control =
  '\u0000\u0007\u0008\u001b]0;owned\u0007\u001b[2J\u001b[31mred\u001b[0m\u202eevil\u202c\r\u009b\ufffe';

describeWhere([await chromium()], 'a hostile function', () => {
  const site = useSite({}, async (server) => {
    await server.register('cat', 'misbehaving/cat.wasm');
    await server.register('flood', 'misbehaving/flood.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });

  async function seeNothingOfItWork(page: Page): Promise<void> {
    expect(await page.evaluate(() => (window as { owned?: number }).owned)).toBeUndefined();
    expect(await page.title()).not.toContain('owned');
    const made = page.locator(
      'main :is(script, img, style, iframe, object, [onerror], [onload], [href^="javascript:"])',
    );
    expect(await made.count()).toBe(0);
    await page.locator('header.node-bar').waitFor();
  }

  test('that writes markup and control characters writes text', async () => {
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'cat',
      input: Buffer.from(`${markup}\n${control}\nafter\n`),
      contentType: 'text/html',
      metadata: { note: markup },
    });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await seen.output.getByText('after', { exact: true }).waitFor();
    const text = (await seen.outputText()).join('\n');
    // Wrapped into rows, it is all there.
    expect(text.replaceAll('\n', '')).toContain(markup);
    // No control character is left that a browser would act on, and each can be seen.
    const wild = [...text.replaceAll('\n', '')].filter((sign) => {
      const code = sign.codePointAt(0) ?? 0;
      return code < 32 || (code >= 127 && code < 160) || (code >= 0x202a && code <= 0x202e);
    });
    expect(wild).toEqual([]);
    expect(text).toContain('red');
    await seen.output.getByRole('button', { name: 'Raw' }).click();
    await seen.output.getByText('after', { exact: true }).waitFor();
    for (const pane of ['Input', 'Result', 'Run', 'Task', 'Context']) {
      await seen.pane(pane);
      await seeNothingOfItWork(page);
    }
    await page.keyboard.press('Escape');
    const list = new ListPage(page);
    await list.row(executionId).waitFor();
    await seeNothingOfItWork(page);
  });

  test('and whoever ends it with markup as the reason are told as text, in the list, too', async () => {
    const executionId = await site.invoke({
      task: 'loop',
      args: [markup],
      environment: { NOTE: markup },
    });
    await site.server.functions.cancelExecution({ executionId, reason: markup });
    const { page } = await site.visit('/');
    const list = new ListPage(page);
    const row = list.row(executionId);
    await row.getByText('Cancelled', { exact: true }).waitFor();
    await expect.poll(() => row.locator('.error').textContent()).toContain('<script>');
    await seeNothingOfItWork(page);
    await page.goto(`${new URL(page.url()).origin}/?execution=${executionId}`);
    const failure = page.getByRole('region', { name: 'What went wrong' });
    await failure.getByText('<img src=x onerror').first().waitFor();
    await new ExecutionPage(page).pane('Input');
    await new ExecutionPage(page).panes.getByText('<style>').first().waitFor();
    await seeNothingOfItWork(page);
  });

  test('that writes a line of 50 MB leaves the page to its reader', async () => {
    const size = 50 * 1024 * 1024;
    const executionId = await site.invoke({ task: 'flood', args: [String(size)] });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    const help = page.getByRole('dialog', { name: 'Keys' });
    page.setDefaultTimeout(120_000);
    // While it comes, the page answers its reader.
    await expect.poll(() => seen.eventCount()).toBeGreaterThan(20);
    await page.keyboard.press('?');
    await help.waitFor();
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });
    await seen.lit('completed');
    await seen.output.getByText('1 line · 50 MiB', { exact: true }).waitFor();
    await seen.output.getByText('reading…').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await help.waitFor();
    await page.keyboard.press('Escape');
    // Only what is on screen is drawn, cut into rows.
    const longest = await seen.output
      .locator('.output-text')
      .evaluateAll((rows) => Math.max(...rows.map((row) => row.textContent?.length ?? 0)));
    expect(longest).toBeGreaterThan(50);
    expect(longest).toBeLessThan(5000);
    expect(await page.evaluate(() => document.querySelectorAll('*').length)).toBeLessThan(3000);
    await seen.output.getByRole('button', { name: 'Wrap' }).click();
    await expect
      .poll(() => seen.output.locator('.output-text').evaluateAll((rows) => rows.length))
      .toBeGreaterThan(0);
    await seen.output.getByRole('button', { name: 'Wrap' }).click();
    await seen.slider.focus();
    await page.keyboard.press('Home');
    await seen.past.waitFor();
    await page.keyboard.press('End');
    await seen.past.waitFor({ state: 'detached' });
    await expect.poll(() => seen.eventCount()).toBeGreaterThan(100);
  }, 180_000);
});
