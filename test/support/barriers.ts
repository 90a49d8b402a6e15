import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

/** Resolves when every animation is over that ever will be. */
const faded = `Promise.allSettled(
  document.getAnimations()
    .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    .map(({ finished }) => finished),
).then(() => undefined)`;

/**
 * The barriers that axe finds on a page, or in what `within` selects, one line each; none is right. Waits for what
 * fades first: half-way from one theme to the other no colour has its contrast.
 */
export async function barriers(page: Page, within?: string): Promise<readonly string[]> {
  await page.evaluate(faded);
  const axe = new AxeBuilder({ page });
  const { violations } = await (within === undefined ? axe : axe.include(within)).analyze();
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary = '' }) => `${id}: ${html} ${failureSummary}`),
  );
}
