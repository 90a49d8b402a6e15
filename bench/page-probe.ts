/** What a page is asked about itself. Scripts as text: they run in the browser, which has other globals than this. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** Notes when the first execution is painted. To be added before the page is opened. */
export const paintProbe = `
  new MutationObserver((_, observer) => {
    if (document.querySelector('.row:not(.head) .mark') === null) return;
    observer.disconnect();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => { window.paintedAt = performance.now(); };
      port2.postMessage(undefined);
    });
  }).observe(document, { childList: true, subtree: true });
`;

/** Milliseconds from the start of the navigation until the first execution is painted. */
export async function paintedAt(page: Page): Promise<number> {
  return Number(await until(page, 'window.paintedAt'));
}

/** Asks until the answer is true. Not from within the page, whose content policy allows no script as text. */
export async function until(page: Page, expression: string): Promise<unknown> {
  for (;;) {
    const value = await page.evaluate(expression);
    if (value) return value;
    await pause(10);
  }
}

/** Bytes of the page's own files as they were sent. */
export function transferred(page: Page): Promise<number> {
  return page.evaluate(`
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(({ name }) => !name.includes('/api/'))
      .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)
  `);
}

/** Begins to note how long frames take. */
export function watchFrames(page: Page): Promise<unknown> {
  return page.evaluate(`
    window.longestFrame = 0;
    window.longestGap = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) window.longestFrame = Math.max(window.longestFrame, duration);
    }).observe({ type: 'long-animation-frame' });
    let before = performance.now();
    const next = (now) => {
      window.longestGap = Math.max(window.longestGap, now - before);
      before = now;
      requestAnimationFrame(next);
    };
    requestAnimationFrame((now) => { before = now; requestAnimationFrame(next); });
    undefined
  `);
}

export interface Frames {
  /** The longest that the page took for one frame, in milliseconds; 0 where none took 50. */
  readonly longest: number;
  /** The longest between two frames, which is also the machine's doing. */
  readonly gap: number;
}

/** The longest frames since the last call. */
export function frames(page: Page): Promise<Frames> {
  return page.evaluate(`
    (() => {
      const seen = { longest: window.longestFrame, gap: window.longestGap };
      window.longestFrame = window.longestGap = 0;
      return seen;
    })()
  `);
}

/**
 * What its JavaScript keeps in memory, in bytes: the least of a few looks. Between them it forgets a twentieth of its
 * rows at once, and has taken in more or less of what is on its way.
 */
export async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const looks: number[] = [];
  for (let look = 0; look < 5; look += 1) {
    await pause(500);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    looks.push(usedSize);
  }
  await session.detach();
  return Math.min(...looks);
}
