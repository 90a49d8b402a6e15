/** One execution, watched while it goes on. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'one execution of a node at work', () => {
  const site = useSite({}, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('ticker', 'ticker/ticker.wasm');
    await server.register('mix', 'misbehaving/stderr-mix.wasm');
    await server.register('calc', 'typed/typed.wasm');
  });

  test('lights each state in the chart as it comes, and draws the way there', async () => {
    site.putUnderLoad();
    const executionId = await site.invoke({ task: 'loop', startAfter: durationFromMs(3_600_000) });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('pending.waiting');
    await page.getByRole('region', { name: 'Why it is here' }).waitFor();
    await site.server.functions.suspendExecution({ executionId });
    await seen.lit('pending.held');
    await seen.way('pending.waiting', 'pending.held').waitFor();
    await site.server.functions.resumeExecution({ executionId });
    await seen.lit('pending.waiting');
    await site.cancel(executionId);
    await seen.lit('cancelled');
    await page.locator('.execution-status').getByText('Cancelled', { exact: true }).waitFor();
    await expect.poll(() => seen.chart.locator('.state[data-current]').count()).toBe(1);
  });

  test('shows what runs, how it is stopped and how it ends, in every picture and its table', async () => {
    site.putUnderLoad();
    const executionId = await site.invoke({ task: 'loop' });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    await seen.output.getByText('looping').waitFor();
    await seen.timeline.getByText(/^Attempt 1: running · /).waitFor();
    await site.cancel(executionId);
    await seen.lit('cancelled');
    await seen.way('pending.queued', 'running.attempting').waitFor();
    await seen.way('running.attempting', 'running.stopping').waitFor();
    await seen.way('running.stopping', 'cancelled').waitFor();
    await expect.poll(() => seen.eventCount()).toBe(await site.lastSequence(executionId));

    await seen.chart.getByRole('button', { name: 'Table' }).click();
    const here = seen.chart.getByRole('row', { name: /here/ });
    await expect.poll(() => here.textContent()).toContain('cancelled');
    await seen.chart.getByRole('row', { name: /running\.attempting running\.stopping/ }).waitFor();
    await seen.timeline.getByRole('button', { name: 'Table' }).click();
    await seen.timeline.getByRole('row', { name: /Attempt 1/ }).waitFor();
  });

  test('shows every event with its number, and only those that the reader asks for', async () => {
    const executionId = await site.invoke({ task: 'mix', args: ['5'] });
    await site.server.functions.waitExecution({ executionId });
    const all = await site.lastSequence(executionId);
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await expect.poll(() => seen.eventCount()).toBe(all);
    await seen.event(1).waitFor();
    await seen.event(all).getByText('result').waitFor();
    for (const name of ['Transitions', 'stdout']) await seen.events.getByRole('button', { name }).click();
    await expect.poll(() => seen.events.locator('.event-row').count()).toBeGreaterThan(0);
    await expect
      .poll(async () => [...new Set(await seen.events.locator('.event-stream').allTextContents())])
      .toEqual(['stderr']);
    const others = seen.events.locator('.event-row:not(:has(.event-stream))');
    await expect.poll(() => others.count()).toBe(0);
    await seen.events.getByRole('button', { name: 'Transitions' }).click();
    await seen.events.getByRole('searchbox').fill('dispatch');
    await expect.poll(() => seen.events.locator('.event-row').count()).toBe(1);
  });

  test('follows the output until the reader scrolls up, and again when they ask', async () => {
    const executionId = await site.invoke({ task: 'ticker', args: ['100000', '10'] });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    const frame = seen.output.locator('.output-frame');
    const scrolled = () => frame.evaluate(({ scrollTop }) => scrollTop);
    const atEnd = () =>
      frame.evaluate(
        ({ scrollTop, clientHeight, scrollHeight }) => scrollHeight - scrollTop - clientHeight < 20,
      );
    await seen.output.getByText('Following', { exact: true }).waitFor();
    await expect.poll(() => seen.lines()).toBeGreaterThan(60);
    await expect.poll(atEnd).toBe(true);

    await frame.hover();
    await page.mouse.wheel(0, -300);
    await seen.output.getByText(/^Not following/).waitFor();
    // The wheel may glide for a while; what comes then must not move it.
    let before = -1;
    const rests = async () => {
      const last = before;
      before = await scrolled();
      return before === last;
    };
    await expect.poll(rests).toBe(true);
    const known = await seen.lines();
    await expect.poll(() => seen.lines()).toBeGreaterThan(known + 30);
    expect(await scrolled()).toBe(before);

    await frame.focus();
    await page.keyboard.press('f');
    await seen.output.getByText('Following', { exact: true }).waitFor();
    await expect.poll(atEnd).toBe(true);
    await site.cancel(executionId);
    await seen.lit('cancelled');
  });

  test('shows input, parameters, result and task, readable and raw', async () => {
    const { executionId } = await site.server.functions.invokeFunction({
      task: 'calc',
      functionName: 'greet',
      parameters: { name: { kind: { case: 'stringValue', value: 'Ada <b>L.</b>' } } },
    });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await seen.pane('Input');
    await seen.panes.getByText('Ada <b>L.</b>').first().waitFor();
    await seen.pane('Result');
    await seen.panes
      .getByText(/Ada <b>L\.<\/b>/)
      .first()
      .waitFor();
    await seen.pane('Task');
    await seen.panes.getByText('calc').first().waitFor();
    await seen.pane('Run');
    await seen.panes.getByText(/Task/).first().waitFor();
    expect(await seen.panes.locator('b').count()).toBe(0);
  });
});
