/** Files that a node gave, opened without it. */
import { readFile } from 'node:fs/promises';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { ErrorCode } from '../../../src/server/gen/spearlet/function_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

interface Download {
  readonly name: string;
  readonly text: string;
}

describeWhere([await chromium()], 'a file', () => {
  const site = useSite({}, async (server) => {
    await server.register('flaky', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 2, initial: durationFromMs(1), jitter: 0, on: [ErrorCode.FUNCTION_EXIT] },
    });
    await server.register('ticker', 'ticker/ticker.wasm');
  });

  async function download(page: Page, kind: string): Promise<Download> {
    const item = await new ExecutionPage(page).inMenu(new RegExp(`Download ${kind}`));
    const [file] = await Promise.all([page.waitForEvent('download'), item.click()]);
    return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
  }

  async function drop(page: Page, { name, text }: Download): Promise<void> {
    const files = await page.evaluateHandle(
      ([name, text]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([text as string], name as string));
        return transfer;
      },
      [name, text],
    );
    await page.dispatchEvent('#main', 'dragover', { dataTransfer: files });
    await page.getByText('Drop it to look into it').waitFor();
    await page.dispatchEvent('#main', 'drop', { dataTransfer: files });
  }

  test.each(['history', 'snapshot'])(
    'that was downloaded as %s shows the same, and asks no node',
    async (kind) => {
      const executionId = await site.invoke({ task: 'flaky' });
      await site.server.functions.waitExecution({ executionId });
      const { page } = await site.visit(`/?execution=${executionId}`);
      const live = new ExecutionPage(page);
      await live.lit('failed');
      const count = await site.lastSequence(executionId);
      await expect.poll(() => live.eventCount()).toBe(count);
      await expect.poll(() => live.lines()).toBe(4);
      const lines = await live.outputText();
      const file = await download(page, kind);
      expect(file.name).toContain(executionId);

      site.putUnderLoad();
      const other = await site.visit('/');
      await drop(other.page, file);
      await other.page.getByText('A file, not the node:').waitFor();
      const seen = new ExecutionPage(other.page);
      await seen.lit('failed');
      await expect.poll(() => seen.eventCount()).toBe(count);
      await expect.poll(() => seen.outputText()).toEqual(lines);
      await other.page
        .getByRole('region', { name: 'What went wrong' })
        .getByText('FUNCTION_EXIT', { exact: true })
        .waitFor();
      // Nothing can be done to a file, and nothing was asked about what is in it.
      expect(await other.page.getByRole('button', { name: 'Run again' }).count()).toBe(0);
      expect(other.requests.filter((path) => path.includes(executionId))).toEqual([]);
      expect(other.requests.filter((path) => /GetInvocation|ExplainExecution|GetTask/.test(path))).toEqual(
        [],
      );

      await seen.slider.focus();
      await other.page.keyboard.press('Home');
      await seen.lit('pending.queued');
      await other.page.keyboard.press('Escape');
      await seen.past.waitFor({ state: 'detached' });
      await other.page.keyboard.press('Escape');
      await other.page.getByText('A file, not the node:').waitFor({ state: 'detached' });
      await other.page.getByRole('grid').waitFor();
    },
  );

  test('that was taken of what still ran shows it as it was then', async () => {
    const executionId = await site.invoke({ task: 'ticker', args: ['100000', '10'] });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const live = new ExecutionPage(page);
    await expect.poll(() => live.lines()).toBeGreaterThan(5);
    const file = await download(page, 'history');
    await drop(page, file);
    await page.getByText('A file, not the node:').waitFor();
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    // The first line is what it had come to.
    const count = file.text.trimEnd().split('\n').length - 1;
    await expect.poll(() => seen.eventCount()).toBe(count);
    await site.cancel(executionId);
    await page.getByText(/At the end · /).waitFor();
    await seen.lit('running.attempting');
    expect(await seen.eventCount()).toBe(count);
  });

  test.each([
    ['of something else', 'notes.txt', 'Dear diary,\n', 'it is neither a history nor a snapshot of Spear'],
    ['with other JSON', 'package.json', '{"name":"left-pad"}\n', 'it is JSON, but neither'],
    ['without anything', 'empty', '', 'it is empty'],
    ['cut off', 'cut.spear', '{"spearSnapshot":1,"parts":[\n{"kind":"header"},\n', 'it was cut off'],
    ['of a later version', 'later', '{"spearSnapshot":9,"parts":[\n', 'it is a snapshot of version 9'],
  ])('%s is refused in words, and the list stays', async (_, name, text, words) => {
    const { page } = await site.visit('/');
    await drop(page, { name, text });
    await page
      .getByRole('status')
      .getByText(new RegExp(`${name} cannot be shown: .*${words}`))
      .waitFor();
    await page.getByRole('grid').waitFor();
  });
});
