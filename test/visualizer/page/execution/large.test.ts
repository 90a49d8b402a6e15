/** Logs that are too large to be taken in at once. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { chromium, describeWhere } from '../../../support/needs.ts';
import { Recording } from './recording.ts';
import { type StageBrowser, type StagePage, startStage } from './stage/browser.ts';

describeWhere([await chromium()], 'a large log', () => {
  let stage: StageBrowser;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  /** All that is drawn; what the log has more of must not make more of it. */
  const elements = ({ page }: StagePage) => page.evaluate(() => document.querySelectorAll('*').length);
  const at = ({ page }: StagePage) =>
    page.evaluate(() => (window as never as { stage: { at(): number | undefined } }).stage.at());

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

  test('of a hundred thousand chunks arrives, and is travelled through, a window of it drawn', async () => {
    const opened = await stage.open();
    await opened.show(new Recording('flood').wait(5).dispatch(), true);
    await flood(opened, 'a line of output\n', 100_000, 500);
    await opened.page.getByText('100,000 lines').waitFor();
    expect(await elements(opened)).toBeLessThan(3000);
    await opened.page.getByRole('slider').focus();
    for (let press = 0; press < 30; press += 1) await opened.page.keyboard.press('ArrowLeft');
    await expect.poll(() => at(opened)).toBe(100_002 - 30);
    await opened.page.keyboard.press('Home');
    await expect.poll(() => at(opened)).toBe(1);
    expect(await elements(opened)).toBeLessThan(3000);
  });

  test('with a line of fifty megabytes is text like any other', async () => {
    const opened = await stage.open();
    await opened.show(new Recording('long-line').wait(5).dispatch(), true);
    await flood(opened, 'x'.repeat(65_536), 763, 4);
    await opened.page.getByText(/^1 line · 47\.8 MiB$/).waitFor();
    await opened.page.getByRole('log').hover();
    for (let turn = 0; turn < 20; turn += 1) await opened.page.mouse.wheel(0, -3000);
    await opened.page.getByRole('button', { name: /Not following/ }).waitFor();
    expect(await opened.page.locator('.output-line').count()).toBeLessThan(100);
  });
});
