/** Time travel: an execution as it was at one of its events. */

import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ErrorCode, type StreamExecutionResult } from '../../../src/server/gen/spearlet/function_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'an execution as it was', () => {
  const site = useSite({}, async (server) => {
    await server.register('ticker', 'ticker/ticker.wasm');
    await server.register('flaky', 'misbehaving/exit.wasm', {
      retry: {
        maxAttempts: 3,
        initial: durationFromMs(1),
        jitter: 0,
        on: [ErrorCode.FUNCTION_EXIT],
      },
    });
  });

  /** One that failed three times, and what came when. */
  async function failed() {
    const executionId = await site.invoke({ task: 'flaky' });
    await site.server.functions.waitExecution({ executionId });
    const events: StreamExecutionResult[] = [];
    for await (const event of site.server.functions.watchExecution({ executionId })) events.push(event);
    const at = (to: string, nth = 1) => {
      const found = events.filter(({ event }) => event.case === 'transition' && event.value.to === to);
      return Number(found[nth - 1]?.sequence);
    };
    return { executionId, at, last: Number(events.at(-1)?.sequence) };
  }

  test('shows chart, context, timeline, events and output as they were at an event', async () => {
    const { executionId, at, last } = await failed();
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('failed');
    expect(await seen.past.count()).toBe(0);
    await expect.poll(async () => (await seen.outputText()).length).toBe(6);

    const second = at('running.attempting', 2);
    await seen.event(second).click();
    await seen.past.waitFor();
    await seen.lit('running.attempting');
    await page.getByText(`Event ${second} of ${last}`).waitFor();
    await expect.poll(() => seen.view.getAttribute('data-past')).toBe('');
    await page.locator('.execution-status').getByText('Running').waitFor();
    // What came later is not there, or is visibly not yet.
    await expect.poll(() => page.getByRole('region', { name: 'What went wrong' }).count()).toBe(0);
    await expect.poll(async () => (await seen.outputText()).filter((line) => line !== '')).toHaveLength(2);
    await seen
      .event(second + 1)
      .and(page.locator('[data-future]'))
      .waitFor();
    expect(await seen.event(second).getAttribute('data-future')).toBe(null);
    await seen.timeline.locator('.timeline-cursor').waitFor();
    expect(await seen.way('running.attempting', 'failed').count()).toBe(0);
    const attempt = seen.panes.locator('.diff-row', { has: page.getByText('attempt', { exact: true }) });
    await expect.poll(() => attempt.locator('.diff-before').textContent()).toContain('1');
    await expect.poll(() => attempt.locator('.diff-after').textContent()).toContain('2');

    await page.getByRole('button', { name: 'Back to the end' }).click();
    await seen.past.waitFor({ state: 'detached' });
    await seen.lit('failed');
    await page.getByRole('region', { name: 'What went wrong' }).waitFor();
  });

  test('is gone through with the slider and the keys', async () => {
    const { executionId, at, last } = await failed();
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('failed');
    await seen.slider.focus();
    await page.keyboard.press('Home');
    await seen.lit('pending.queued');
    await page.getByText(`Event 1 of ${last}`).waitFor();
    await page.keyboard.press('ArrowRight');
    await seen.lit('running.attempting');
    await page.keyboard.press(']');
    await seen.lit('running.backingOff');
    await page.getByText(`Event ${at('running.backingOff')} of ${last}`).waitFor();
    await page.keyboard.press(']');
    await page.keyboard.press(']');
    await page.getByText(`Event ${at('running.backingOff', 2)} of ${last}`).waitFor();
    await page.keyboard.press('[');
    await page.getByText(`Event ${at('running.attempting', 2)} of ${last}`).waitFor();
    await page.keyboard.press('End');
    await seen.past.waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowLeft');
    await seen.past.waitFor();
    await page.keyboard.press('Escape');
    await seen.past.waitFor({ state: 'detached' });
    await seen.lit('failed');
    // A transition of the chart leads to its event.
    await seen.way('running.backingOff', 'running.attempting').focus();
    await page.keyboard.press('Enter');
    await page.getByText(`Event ${at('running.attempting', 3)} of ${last}`).waitFor();
  });

  test('is in the address: for a reload, the back button and somebody else', async () => {
    const { executionId, at, last } = await failed();
    const backoff = at('running.backingOff');
    const { page } = await site.visit(`/?execution=${executionId}&at=${backoff}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.backingOff');
    await seen.past.waitFor();
    await page.keyboard.press(']');
    await seen.lit('running.attempting');
    await expect
      .poll(() => new URL(page.url()).searchParams.get('at'))
      .toBe(String(at('running.attempting', 2)));
    await page.reload();
    await page.getByText(`Event ${at('running.attempting', 2)} of ${last}`).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBe(null);
  });

  test('is its present from the last event of what has ended on, and the address says so', async () => {
    const { executionId, last } = await failed();
    for (const beyond of [last, last + 100_000]) {
      const { page } = await site.visit(`/?execution=${executionId}&at=${beyond}`);
      const seen = new ExecutionPage(page);
      await seen.lit('failed');
      await page.getByRole('region', { name: 'What went wrong' }).waitFor();
      await expect.poll(() => new URL(page.url()).searchParams.get('at')).toBe(null);
      expect(await seen.past.count()).toBe(0);
    }
  });

  test('stays where it is while the execution goes on, and returns to what is live', async () => {
    const executionId = await site.invoke({ task: 'ticker', args: ['100000', '10'] });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    await expect.poll(() => seen.eventCount()).toBeGreaterThan(10);
    await seen.slider.focus();
    await page.keyboard.press('Home');
    await seen.past.waitFor();
    await seen.lit('pending.queued');
    const known = await seen.eventCount();
    await expect.poll(() => seen.eventCount()).toBeGreaterThan(known + 20);
    await page.getByText(/^Event 1 of/).waitFor();
    await seen.lit('pending.queued');
    expect((await seen.outputText()).join('')).toBe('');
    await page.getByRole('button', { name: 'Back to live' }).click();
    await seen.lit('running.attempting');
    await seen.output.getByText('Following', { exact: true }).waitFor();
    await site.cancel(executionId);
    await seen.lit('cancelled');
  });
});
