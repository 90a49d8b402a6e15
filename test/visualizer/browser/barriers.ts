import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { AxeResults, ElementContext, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

declare global {
  interface Window {
    readonly axe?: { run(context: ElementContext, options: RunOptions): Promise<AxeResults> };
  }
}

const axeSource = await readFile(fileURLToPath(import.meta.resolve('axe-core')), 'utf8');

/** Resolves when every animation is over that ever will be. */
const faded = `Promise.allSettled(
  document.getAnimations()
    .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    .map(({ finished }) => finished),
).then(() => undefined)`;

/**
 * The barriers that axe finds on a page, or in what `within` selects, one line each; none is right. Waits for what
 * fades first: half-way from one theme to the other no colour has its contrast.
 *
 * Axe runs in the page itself, with all its rules: `@axe-core/playwright` opens a second page for each check and takes
 * ten times as long, which is worth it only for frames, and the page has none.
 */
export async function barriers(page: Page, within?: string): Promise<readonly string[]> {
  if (page.frames().length > 1) throw new Error('the page has a frame, which axe would leave out');
  await page.evaluate(faded);
  if (!(await page.evaluate(() => window.axe !== undefined))) await page.evaluate(axeSource);
  return page.evaluate(async (selector) => {
    if (selector !== null && document.querySelector(selector) === null) throw new Error(`no ${selector}`);
    const results = await window.axe?.run(selector === null ? document : { include: [[selector]] }, {
      resultTypes: ['violations'],
      selectors: false,
    });
    if (results === undefined) throw new Error('axe is not there');
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary = '' }) => `${id}: ${html} ${failureSummary}`),
    );
  }, within ?? null);
}
