/** Logs that are too large to be taken in at once. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chromium, describeWhere } from '../../../support/needs.ts';
import { Recording } from './recording.ts';
import { type StageBrowser, type StagePage, startStage } from './stage/browser.ts';

describeWhere([await chromium()], 'a large log', () => {
  let stage: StageBrowser;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterAll(() => stage.close());

  /** The longest time between two frames while something goes on. */
  async function longestFrame({ page }: StagePage, act: () => Promise<void>): Promise<number> {
    await page.evaluate(() => {
      const watch = window as never as { longest: number; watching: boolean };
      watch.longest = 0;
      watch.watching = true;
      let last = performance.now();
      const frame = (now: number): void => {
        watch.longest = Math.max(watch.longest, now - last);
        last = now;
        if (watch.watching) requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    await act();
    return page.evaluate(() => {
      const watch = window as never as { longest: number; watching: boolean };
      watch.watching = false;
      return watch.longest;
    });
  }

  /** Appends chunks of `text` in the page, some each frame, as a feed does. */
  function flood({ page }: StagePage, text: string, times: number, atOnce: number): Promise<void> {
    return page.evaluate(
      async ([chunk, count, each]) => {
        const { stage: live } = window as never as { stage: { append(events: unknown[]): void } };
        const data = btoa(chunk as string);
        let sequence = 2;
        for (let sent = 0; sent < (count as number); sent += each as number) {
          await new Promise(requestAnimationFrame);
          const events = Array.from({ length: each as number }, () => {
            sequence += 1;
            const time = new Date(Date.UTC(2026, 10, 22, 3) + sequence).toISOString();
            return {
              sequence: String(sequence),
              time,
              attempt: 1,
              chunk: { stream: 'OUTPUT_STREAM_STDOUT', data },
            };
          });
          live.append(events);
        }
      },
      [text, times, atOnce],
    );
  }

  test('a hundred thousand chunks arrive, and are travelled through, without the page standing still', async () => {
    const opened = await stage.open();
    await opened.show(new Recording('flood').wait(5).dispatch(), true);
    const arriving = await longestFrame(opened, () => flood(opened, 'a line of output\n', 100_000, 500));
    await opened.page.getByText('100,000 lines').waitFor();
    const slider = opened.page.getByRole('slider');
    const travelling = await longestFrame(opened, async () => {
      await slider.focus();
      for (let press = 0; press < 30; press += 1) await opened.page.keyboard.press('ArrowLeft');
      await opened.page.keyboard.press('Home');
    });
    console.log(
      `longest frames: ${Math.round(arriving)} ms arriving, ${Math.round(travelling)} ms travelling`,
    );
    // On a machine that has other things to do; a page that stands still takes seconds.
    expect(arriving).toBeLessThan(1000);
    expect(travelling).toBeLessThan(1000);
  });

  test('a line of fifty megabytes is text like any other', async () => {
    const opened = await stage.open();
    await opened.show(new Recording('long-line').wait(5).dispatch(), true);
    const longest = await longestFrame(opened, () => flood(opened, 'x'.repeat(65_536), 763, 4));
    await opened.page.getByText(/^1 line · 47\.8 MiB$/).waitFor();
    const scrolling = await longestFrame(opened, async () => {
      await opened.page.getByRole('log').hover();
      for (let turn = 0; turn < 20; turn += 1) await opened.page.mouse.wheel(0, -3000);
    });
    console.log(`longest frames: ${Math.round(longest)} ms arriving, ${Math.round(scrolling)} ms scrolling`);
    expect(longest).toBeLessThan(1000);
    expect(scrolling).toBeLessThan(1000);
    expect(await opened.page.locator('.output-line').count()).toBeLessThan(100);
  });
});
