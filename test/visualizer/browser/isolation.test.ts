/** The page and the node do not depend on each other more than they must. */
import { expect, test } from 'vitest';
import { ExecutionStatus } from '../../../src/server/gen/spearlet/function_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'the page beside its node', () => {
  const site = useSite({}, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('flood', 'misbehaving/flood.wasm');
    await server.register('wc', 'wordcount/wordcount.wasm');
  });

  test('is served under a policy that lets it reach nobody else, and reaches nobody else', async () => {
    site.putUnderLoad();
    const { executionId } = await site.server.functions.invokeFunction({ task: 'wc' });
    const reader = await site.visit();
    const { page } = reader;
    const answer = await page.goto(reader.origin);
    const policy = answer?.headers()['content-security-policy'] ?? '';
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]) {
      expect(policy.split('; ')).toContain(rule);
    }
    await new ListPage(page).rows.first().waitFor();
    await page.keyboard.press('t');
    await page.getByRole('treeitem').first().waitFor();
    await page.goto(`${reader.origin}/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    for (const pane of ['Input', 'Result', 'Run', 'Task', 'Context']) await seen.pane(pane);
    // What went elsewhere, or against the policy, is a fault of the visit; here is what it did ask for.
    const paths = new Set(reader.requests.map((path) => path.split('?')[0]));
    expect([...paths].filter((path) => !/^\/($|page\.(js|css)$|api\/)/.test(path ?? ''))).toEqual([]);
    // The policy is in force: what is not allowed does not happen.
    const refused = await page.evaluate(
      () =>
        new Promise((resolve) => {
          const image = document.createElement('img');
          image.onerror = () => resolve('refused');
          image.onload = () => resolve('loaded');
          image.src = 'blob:nothing';
        }),
    );
    expect(refused).toBe('refused');
    expect(reader.forgive(/blob:nothing|policy: img-src/)).not.toEqual([]);
  });

  test('asks for one stream only, whatever it shows', async () => {
    const executionId = await site.invoke({ task: 'loop' });
    const { page } = await site.visit('/');
    await new ListPage(page).row(executionId).getByRole('link').click();
    await new ExecutionPage(page).lit('running.attempting');
    const open = new Set<string>();
    page.on('request', (request) => {
      if (request.url().includes('/api/events')) open.add(request.url());
    });
    await page.keyboard.press('t');
    await page.getByRole('treeitem').first().waitFor();
    await page.keyboard.press('e');
    await new ListPage(page).row(executionId).waitFor();
    // Another one was opened when the execution was left, and none since.
    await expect.poll(() => open.size).toBe(1);
    await site.cancel(executionId);
  });

  test('that stands still holds up no execution and no other page', async () => {
    const [still, other] = [await site.visit('/'), await site.visit('/')];
    // Twenty megabytes are read and drawn once it goes on.
    still.page.setDefaultTimeout(120_000);
    const watched = await site.invoke({ task: 'flood', args: [String(20 * 1024 * 1024)] });
    await still.page.goto(`${still.origin}/?execution=${watched}`);
    const debug = await still.page.context().newCDPSession(still.page);
    const paused = new Promise((resolve) => debug.once('Debugger.paused', resolve));
    await debug.send('Debugger.enable');
    await debug.send('Debugger.pause');
    await paused;

    // The log that it follows is written to its end, …
    const { result } = await site.server.functions.waitExecution({ executionId: watched });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    expect(Number(result?.outputBytes)).toBe(20 * 1024 * 1024);
    // … everything else goes on, and others see it.
    await site.runNothing(300);
    const last = await site.invoke({ task: 'wc' });
    const list = new ListPage(other.page);
    await list.row(last).getByText('Completed').waitFor();

    await debug.send('Debugger.resume');
    await debug.send('Debugger.disable');
    await new ExecutionPage(still.page).lit('completed');
    await still.page.keyboard.press('e');
    await new ListPage(still.page).row(last).getByText('Completed').waitFor();
  }, 180_000);
});
