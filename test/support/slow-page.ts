/**
 * Makes the pages of a test run slow, so that a test that looks too early fails: SPEAR_PAGE_SLOWDOWN=8
 * gives each page an eighth of its processor and a network that takes its time.
 */
import type { Page } from 'playwright-core';

const factor = Number(process.env['SPEAR_PAGE_SLOWDOWN'] ?? 1);

export async function slowDown(page: Page): Promise<void> {
  if (!(factor > 1)) return;
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: factor });
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 20 * factor,
    // Bytes a second: enough for megabytes of output within a test's time, and slow enough to split a log.
    downloadThroughput: 4_000_000 / factor,
    uploadThroughput: 4_000_000 / factor,
  });
}
