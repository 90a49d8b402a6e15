/** A node that goes away and comes back, and the page that stayed open. */
import { rm } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ExecutionMode } from '../../../src/server/gen/spearlet/function_pb.js';
import { sharedBrowser, visit } from '../../support/browser.ts';
import { chromium, describeWhere } from '../../support/needs.ts';
import { spawnServer, temporaryDataDir } from '../../support/server.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';

describeWhere([await chromium()], 'a page whose node restarts', () => {
  /** A node that was killed while a page shows it, with an execution that runs; and what starts it again. */
  async function killed(path: (executionId: string) => string) {
    const dataDir = await temporaryDataDir();
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const first = await spawnServer(dataDir, { drainMs: '0' });
    await first.register('loop', 'misbehaving/loop.wasm');
    const { executionId } = await first.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const reader = await visit(await sharedBrowser(), first.httpAddress);
    onTestFinished(() => reader.close());
    await reader.open(path(executionId));
    const start = async () => {
      const server = await spawnServer(dataDir, { httpAddress: first.httpAddress });
      onTestFinished(async () => void (await server.end('SIGKILL')));
      return server;
    };
    const kill = async () => {
      await first.end('SIGKILL');
      await reader.page.getByText(/Not connected for/).waitFor();
    };
    const stop = async () => {
      await first.end('SIGTERM');
      await reader.page.getByText(/Not connected for/).waitFor();
    };
    return { reader, page: reader.page, executionId, kill, stop, start };
  }

  test('says so, keeps what it knew, and goes on by itself with what is new', async () => {
    const { reader, page, executionId, kill, start } = await killed(() => '/');
    const list = new ListPage(page);
    await list.row(executionId).getByText('Running').waitFor();
    await kill();
    await list.row(executionId).waitFor();
    const server = await start();
    const other = await server.functions.invokeFunction({ task: 'loop', executionMode: ExecutionMode.ASYNC });
    await page.getByText('Live', { exact: true }).waitFor();
    await list.row(other.executionId).getByText('Running').waitFor();
    await list.row(executionId).getByText('Running').waitFor();
    await server.functions.cancelExecution({ executionId });
    await list.row(executionId).getByText('Cancelled', { exact: true }).waitFor();
    reader.forgive(/net::ERR/);
    expect(reader.faults).toEqual([]);
  });

  test.each(['kill', 'stop'] as const)('claims nothing of a node that is away after a %s', async (how) => {
    const { reader, page, executionId, ...acts } = await killed((id) => `/?execution=${id}`);
    const seen = new ExecutionPage(page);
    await seen.output.getByText('looping').waitFor();
    await acts[how]();
    await page.locator('.node-facts').getByText('Unknown').waitFor();
    const claims = page.locator('.node-bar').getByText(/Serving|Draining|stopping/);
    await expect.poll(() => claims.count()).toBe(0);
    await expect.poll(() => page.getByText(/^Live/).count()).toBe(0);
    await page.getByText(/^As last heard|^At the end/).waitFor();
    // A menu opens; what is in it cannot be done either.
    const buttons = await page.locator('.execution-acts button:not([aria-haspopup])').all();
    expect(buttons.length).toBeGreaterThan(0);
    for (const button of buttons) {
      await expect.poll(() => button.getAttribute('aria-disabled')).toBe('true');
    }
    const [took, all] = [page.locator('.execution-facts'), seen.timeline.locator('.readout')];
    const before = [await took.textContent(), await all.textContent()];
    await page.getByText(/Not connected for [3-9] s/).waitFor();
    expect([await took.textContent(), await all.textContent()]).toEqual(before);
    await acts.start();
    await page.locator('.node-facts').getByText('Serving').waitFor();
    reader.forgive(/net::ERR/);
    expect(reader.faults).toEqual([]);
  });

  test('shows the lost attempt of an execution, and the next one, without a gap in its log', async () => {
    const { reader, page, executionId, kill, start } = await killed((id) => `/?execution=${id}`);
    const seen = new ExecutionPage(page);
    await seen.output.getByText('looping').waitFor();
    await kill();
    const server = await start();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.locator('.execution-facts', { hasText: 'Recovered' }).waitFor();
    await expect
      .poll(async () => (await seen.outputText()).filter((line) => line === 'looping').length)
      .toBe(2);
    await server.functions.cancelExecution({ executionId });
    await seen.lit('cancelled');
    const { lastSequence } = await server.functions.getExecutionStatus({ executionId });
    await expect.poll(() => seen.eventCount()).toBe(Number(lastSequence));
    reader.forgive(/net::ERR/);
    expect(reader.faults).toEqual([]);
  });
});
