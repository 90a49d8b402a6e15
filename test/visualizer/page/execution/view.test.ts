import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromium, describeWhere } from '../../../support/needs.ts';
import { barriers } from '../../browser/barriers.ts';
import type { Recording } from './recording.ts';
import * as made from './recordings.ts';
import { type StageBrowser, type StagePage, startStage } from './stage/browser.ts';

interface Stage {
  show(name: string, text: string, machines: readonly unknown[], live: boolean): Promise<void>;
}

describeWhere([await chromium()], 'one execution', () => {
  let stage: StageBrowser;
  beforeAll(async () => {
    stage = await startStage();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  const unfinished = new Set(['held', 'suspended', 'running']);

  async function shown(name: keyof typeof made.recordings, look = {}): Promise<StagePage> {
    const opened = await stage.open(look);
    await opened.show(made.recordings[name]?.() as Recording, unfinished.has(name));
    return opened;
  }

  const at = ({ page }: StagePage) =>
    page.evaluate(() => (window as never as { stage: { at(): number | undefined } }).stage.at());

  describe('nothing is wrong for axe or the browser', () => {
    const check = async ({ page, complaints }: StagePage): Promise<void> => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        expect(await barriers(page), colorScheme).toEqual([]);
      }
      expect(complaints).toEqual([]);
    };

    test.each(Object.keys(made.recordings))('with what is %s', async (name) => {
      const opened = await shown(name);
      await check(opened);
    });

    test('in the past, with all ways', async () => {
      const opened = await shown('failed');
      await opened.page.getByRole('button', { name: 'All ways' }).click();
      await opened.page.keyboard.press('[');
      await opened.page.getByText('The past, read-only.').waitFor();
      await check(opened);
    });

    test('with tables instead of pictures', async () => {
      const opened = await shown('recovered');
      for (const toggle of await opened.page.getByRole('button', { name: 'Table', exact: true }).all()) {
        await toggle.click();
      }
      await expect.poll(() => opened.page.getByRole('table').count()).toBe(3);
      await check(opened);
    });

    test('in each pane', async () => {
      const opened = await shown('running', { width: 700, height: 1400 });
      for (const name of ['Input', 'Result', 'Run', 'Task']) {
        await opened.page.getByRole('tab', { name }).click();
        expect(await barriers(opened.page, '.panes'), name).toEqual([]);
      }
    });
  });

  test('a failure stands first, with its code, its message, what ended it and what it wrote last', async () => {
    const { page } = await shown('timed-out');
    const card = page.getByRole('region', { name: 'What went wrong' });
    const text = await card.innerText();
    for (const words of [
      'ATTEMPT_TIMEOUT',
      'policy',
      '20000 ms',
      'SIGKILL',
      'gone after 5.06 s',
      'SIGTERM ignored',
    ]) {
      expect(text).toContain(words);
    }
    await card.getByRole('button', { name: 'Go to the event' }).click();
    await page.getByText('The past, read-only.').waitFor();
    await expect
      .poll(() => page.getByRole('button', { name: /running\.stopping: it was here then/ }).count())
      .toBe(1);
  });

  test('keys alone lead through the past and back', async () => {
    const opened = await shown('failed');
    const { page } = opened;
    await page.keyboard.press('[');
    await expect.poll(() => at(opened)).toBe(70);
    await page.keyboard.press('[');
    await expect.poll(() => at(opened)).toBe(69);
    await page.keyboard.press(']');
    await expect.poll(() => at(opened)).toBe(70);
    await page.getByRole('slider').focus();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => at(opened)).toBe(69);
    await page.keyboard.press('Home');
    await expect.poll(() => at(opened)).toBe(1);
    await page.keyboard.press('End');
    await expect.poll(() => at(opened)).toBeUndefined();
    const list = page.getByRole('listbox');
    await list.focus();
    for (const key of ['Home', 'j', 'j', 'k', 'Enter']) await page.keyboard.press(key);
    await expect.poll(() => at(opened)).toBe(2);
    await page.keyboard.press('Escape');
    await expect.poll(() => at(opened)).toBeUndefined();
  });

  test('at an earlier event, chart, context, output and status are as they were', async () => {
    const opened = await shown('failed');
    const { page } = opened;
    await page.evaluate(() => (window as never as { stage: { travel(n: number): void } }).stage.travel(36));
    const state = page.locator('.state[aria-current="true"]');
    await expect
      .poll(() => state.getAttribute('aria-label'))
      .toMatch(/running\.attempting ×2: it was here then/);
    await expect.poll(() => page.locator('.execution-status').innerText()).toBe('Running');
    const output = page.getByRole('log');
    await expect.poll(() => output.innerText()).toContain('async main');
    expect(await output.innerText()).not.toContain('attempt 2');
    await expect.poll(() => page.locator('.diff').innerText()).toContain('attemptDeadline');
    await expect.poll(() => page.getByRole('region', { name: 'What went wrong' }).count()).toBe(0);
  });

  test('without a chart and without a transition it says so, and draws nothing', async () => {
    const { page, complaints } = await stage.open();
    const [head] = made.completed().history().split('\n');
    await page.evaluate(
      (text) => (window as never as { stage: Stage }).stage.show('a-file', text, [], false),
      `${head}\n`,
    );
    const chart = page.getByRole('region', { name: 'Execution chart' });
    await chart.getByText('The chart is not known').waitFor();
    expect(await chart.getByRole('button').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test('without a chart it draws what the log tells, as a table too', async () => {
    const { page } = await stage.open();
    await page.evaluate(
      (text) => (window as never as { stage: Stage }).stage.show('a-file', text, [], false),
      made.completed().history(),
    );
    const chart = page.getByRole('region', { name: 'Execution chart' });
    await chart.getByText('as far as the log tells').waitFor();
    await chart.getByRole('button', { name: 'Table', exact: true }).click();
    await chart.getByRole('cell', { name: 'pending.queued', exact: true }).first().waitFor();
  });

  test('a transition of the chart leads to its event', async () => {
    const opened = await shown('failed');
    await opened.page
      .getByRole('button', { name: /^attemptEnded ×2.*: from running\.attempting to running\.backingOff/ })
      .press('Enter');
    await expect.poll(() => at(opened)).toBe(69);
  });

  test('what a function writes is text, whatever it is', async () => {
    const opened = await shown('hostile');
    const { page } = opened;
    const output = page.getByRole('log');
    await output.focus();
    await page.keyboard.press('Home');
    await expect
      .poll(() => output.innerText())
      .toContain('<img src=x onerror=alert(1)><script>alert(2)</script>');
    const text = await output.innerText();
    expect(text).toContain('turn ⟨202E⟩gnp.exe⟨202C⟩ zero⟨200B⟩width');
    expect(await page.locator('article img, article script, article b').count()).toBe(0);
    await expect.poll(() => page.locator('.failure').innerText()).toContain('<b>unreachable</b>⟨202E⟩');
    expect(opened.complaints).toEqual([]);
  });

  test('output is followed until the reader scrolls up, and again when they say so', async () => {
    const opened = await shown('running');
    const { page } = opened;
    const output = page.getByRole('log');
    const write = (count: number) =>
      page.evaluate((lines) => {
        const { stage: live } = window as never as {
          stage: { append(events: unknown[]): void; last?: number };
        };
        live.last ??= 83;
        const data = btoa('more\n');
        for (let line = 0; line < lines; line += 1) {
          live.last += 1;
          const head = { sequence: String(live.last), time: new Date().toISOString(), attempt: 1 };
          live.append([{ ...head, chunk: { stream: 'OUTPUT_STREAM_STDOUT', data } }]);
        }
      }, count);
    const fromEnd = () =>
      output.evaluate((frame) => frame.scrollHeight - frame.scrollTop - frame.clientHeight);
    await write(50);
    await page.getByText('133 lines').or(page.getByText('130 lines')).waitFor();
    await expect.poll(fromEnd).toBeLessThan(20);
    await output.hover();
    await page.mouse.wheel(0, -400);
    await page.getByRole('button', { name: /Not following/ }).waitFor();
    const scrolled = () => output.evaluate(({ scrollTop }) => scrollTop);
    // The wheel may glide for a while; what comes then must not move it.
    let before = -1;
    const rests = async () => {
      const last = before;
      before = await scrolled();
      return before === last;
    };
    await expect.poll(rests).toBe(true);
    await write(50);
    await page.getByText('180 lines').waitFor();
    expect(await scrolled()).toBe(before);
    await page.getByRole('button', { name: /Not following/ }).click();
    await expect.poll(fromEnd).toBeLessThan(20);
  });
});
