/**
 * Makes the pages of a test run slow, so that a test that looks too early fails: with SPEAR_PAGE_SLOWDOWN=8 a page has
 * an eighth of its time to itself, and a network that takes its own.
 */
import type { Page } from 'playwright-core';

const factor = Number(process.env.SPEAR_PAGE_SLOWDOWN ?? 1);

export async function slowDown(page: Page): Promise<void> {
  if (!(factor > 1)) return;
  // The debugger's own throttle takes the machine from everything else.
  await page.addInitScript(
    (busyMs) => {
      const hold = () => {
        const until = performance.now() + busyMs;
        while (performance.now() < until);
      };
      setInterval(hold, busyMs + 10);
    },
    10 * (factor - 1),
  );
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 20 * factor,
    // Bytes a second: enough for megabytes of output within a test's time, and slow enough to split a log.
    downloadThroughput: 4_000_000 / factor,
    uploadThroughput: 4_000_000 / factor,
  });
}
