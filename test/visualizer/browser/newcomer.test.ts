/** What somebody sees who comes to a node for the first time, on a laptop and on a phone. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

const laptop = { width: 1366, height: 768 };
const phone = { width: 400, height: 800 };
const bin = join(import.meta.dirname, '../../../bin');

/** It is on the screen as a whole. */
async function expectOnScreen(place: Locator, screen: typeof laptop): Promise<void> {
  const box = await place.boundingBox();
  expect(box).not.toBeNull();
  if (box === null) return;
  expect(box.x).toBeGreaterThanOrEqual(0);
  expect(box.y).toBeGreaterThanOrEqual(0);
  expect(box.x + box.width).toBeLessThanOrEqual(screen.width);
  expect(box.y + box.height).toBeLessThanOrEqual(screen.height);
}

describeWhere([await chromium()], 'a newcomer', () => {
  const site = useSite({}, async (server) => {
    // Nothing is registered here at first.
    await server.tasks.deleteTask({ task: 'noop' });
  });

  test('can paste what the empty page says, also on a phone, and it works on this very node', async () => {
    const { page } = await site.visit('/', { viewport: phone });
    await page.getByRole('heading', { name: 'Nothing has run here yet' }).waitFor();
    for (const button of await page.getByRole('button', { name: 'Copy the command' }).all()) {
      await expectOnScreen(button, phone);
    }
    const commands = await page.locator('.command pre').allTextContents();
    const folder = await mkdtemp(join(tmpdir(), 'spear-newcomer-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const paste = (command = '') => {
      const pasted = promisify(execFile)('bash', ['-ec', command], { cwd: folder, env });
      // A pipe that stays open would be input that is still to come.
      pasted.child.stdin?.end();
      return pasted;
    };
    await paste(commands[0]);
    expect((await paste(commands[1])).stdout).toBe('hello\n');
    expect((await paste(commands[2])).stdout).toContain('"message":"completed"');
  });

  test('sees parameters and result of an addition on the first screen, and times in UTC', async () => {
    await site.server.register('calc', 'typed/typed.wasm');
    const number = (value: number) => ({ kind: { case: 'numberValue' as const, value } });
    const { executionId, result } = await site.server.functions.invokeFunction({
      task: 'calc',
      functionName: 'add',
      parameters: { a: number(1), b: number(2) },
    });
    for (const viewport of [laptop, phone]) {
      const { page } = await site.visit(`/?execution=${executionId}`, { viewport, timezoneId: 'Asia/Tokyo' });
      const call = page.getByRole('region', { name: 'Input and result' });
      await expectOnScreen(call.locator('.json-row', { hasText: /^a1$/ }), viewport);
      await expectOnScreen(call.locator('.json-row', { hasText: /^b2$/ }), viewport);
      await expectOnScreen(call.locator('.json-row', { hasText: /^3$/ }), viewport);
      const created = new Date(Number(result?.createdAt?.seconds) * 1000).toISOString();
      const text = created.slice(0, 19).replace('T', ' ');
      expect(await page.locator('.execution-facts').textContent()).toMatch(
        new RegExp(`${text}\\.\\d{3} UTC`),
      );
    }
  });

  test('sees input and error of what failed on the first screen of a laptop', async () => {
    await site.server.register('exit', 'misbehaving/exit.wasm');
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'exit',
      args: ['7'],
      input: Buffer.from('some input'),
    });
    const { page } = await site.visit(`/?execution=${executionId}`, { viewport: laptop });
    await expectOnScreen(
      page.getByRole('region', { name: 'Input and result' }).getByText('some input'),
      laptop,
    );
    const failure = page.getByRole('region', { name: 'What went wrong' });
    await expectOnScreen(failure.getByRole('heading', { name: /FUNCTION_EXIT/ }), laptop);
  });

  test('who looks at the past sees nothing of the future in the Run tab', async () => {
    await site.server.register('wc', 'wordcount/wordcount.wasm');
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'wc',
      input: Buffer.from('a b'),
    });
    const { page } = await site.visit(`/?execution=${executionId}&at=1`, { viewport: laptop });
    const seen = new ExecutionPage(page);
    await seen.past.waitFor();
    await seen.pane('Run');
    const told = () => seen.panes.locator('dt').allTextContents();
    await expect.poll(told).toContain('Time pending');
    for (const name of ['Started', 'Ended', 'Time running', 'Instance'])
      expect(await told()).not.toContain(name);
    await page.getByText('There was no result yet at this event.').waitFor();
  });

  test('reads in the list in which zone its times are', async () => {
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'wc',
      input: Buffer.from('a'),
    });
    for (const viewport of [laptop, phone]) {
      const { page } = await site.visit('/', { viewport, timezoneId: 'Asia/Tokyo' });
      await page.locator(`#row-${executionId}`).waitFor();
      const texts = await page.locator('.row .created').allInnerTexts();
      expect(texts.some((text) => text.includes('UTC'))).toBe(true);
      const zone = page.getByText('UTC').filter({ visible: true }).first();
      await expectOnScreen(zone, viewport);
    }
  });

  test('sees everything of an execution on a phone', async () => {
    await site.server.register('mix', 'misbehaving/stderr-mix.wasm');
    const { executionId } = await site.server.functions.invokeFunction({ task: 'mix', args: ['5'] });
    const { page } = await site.visit(`/?execution=${executionId}`, { viewport: phone });
    await new ExecutionPage(page).lit('completed');
    const outside = await page.evaluate((width) => {
      const shown = [
        ...document.querySelectorAll('.execution :is(button, a, dd, h1, h2, h3, .travel-place)'),
      ];
      // What is in a picture or a list that scrolls sideways is reached there.
      const own = shown.filter(
        (each) => each.closest('.chart-frame, .events-frame, .output-frame, svg') === null,
      );
      return own
        .filter((each) => each.getBoundingClientRect().right > width || each.getBoundingClientRect().left < 0)
        .map((each) => each.outerHTML.slice(0, 120));
    }, phone.width);
    expect(outside).toEqual([]);
  });
});
