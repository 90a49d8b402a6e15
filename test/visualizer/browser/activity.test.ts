/** What has gone on in the last minutes, as a reader of the page sees it. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { useSite } from './site.ts';

/** Whether anything is drawn on the canvas of a figure, in a colour other than that of its ground. */
async function isDrawn(page: Page, figure: string): Promise<boolean> {
  const canvas = page.locator(`[data-figure="${figure}"] canvas`);
  return await canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const pixels = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data;
    return pixels?.some((value, at) => at % 4 === 3 && value > 0) ?? false;
  });
}

describeWhere([await chromium()], 'activity on the page', () => {
  const site = useSite({}, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
  });
  let tokens = 0;
  async function administrator(): Promise<string> {
    tokens += 1;
    const access = site.server.connection.service(AccessService);
    return (await access.createToken({ name: `admin-${tokens}`, role: Role.ADMIN })).secret;
  }

  test('shows on the list what runs, waits and ends, and says it in words', async () => {
    const running = await site.invoke({ task: 'loop' });
    await site.runNothing(20);
    const { page } = await site.visit(`/#token=${await administrator()}`);
    const strip = page.getByRole('region', { name: 'The last 10 minutes' });
    const figure = (name: string) => strip.locator(`[data-figure="${name}"]`);
    await figure('running')
      .getByText(/^running 1, at most [12] in the last 10 minutes/)
      .waitFor();
    await figure('waiting').getByText('waiting 0, at most 0').waitFor();
    await figure('ended')
      .getByText(/completed [\d.]+, at most [1-9.][\d.]*; failed 0, at most 0/)
      .waitFor();
    await figure('duration')
      .getByText(/p50 .+ms, at most .+; p99 /)
      .waitFor();
    await figure('memory')
      .getByText(/memory [\d.]+ MiB/)
      .waitFor();
    for (const name of ['running', 'ended', 'duration', 'processors', 'memory']) {
      await expect.poll(() => isDrawn(page, name)).toBe(true);
    }
    expect(await barriers(page)).toEqual([]);
    await site.cancel(running);
    await figure('running')
      .getByText(/^running 0, at most [12]/)
      .waitFor();
  });

  test('has a line for each task in the tree, and fits a narrow window in the dark', async () => {
    await site.runNothing(5);
    const { page } = await site.visit('/?view=tree', {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
    });
    const task = page.getByRole('treeitem').filter({ hasText: 'revision' }).filter({ hasText: 'noop' });
    await task.getByText(/ended [\d.]+, at most [\d.]+; failed 0/).waitFor();
    const tooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
    expect(await page.evaluate(tooWide)).toBe(false);
    await expect.poll(() => isDrawn(page, 'running')).toBe(true);
    expect(await barriers(page)).toEqual([]);
  });

  test('is asked for once a step, only what is new, and not where it is not shown', async () => {
    const asked: { fromStep: string }[] = [];
    const visit = await site.visit();
    const { page } = visit;
    page.on('request', (request) => {
      if (request.url().endsWith('/NodeService/GetActivity')) asked.push(request.postDataJSON());
    });
    await visit.open('/');
    await expect.poll(() => asked.length).toBe(2);
    expect(asked[0]?.fromStep).toBe('0');
    expect(Number(asked[1]?.fromStep)).toBeGreaterThan(0);
    await page.keyboard.press('q');
    await page.getByRole('heading', { name: 'Who waits for a slot' }).waitFor();
    const before = asked.length;
    let queues = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/NodeService/GetQueue')) queues += 1;
    });
    await expect.poll(() => queues).toBeGreaterThan(6);
    expect(asked.length).toBeLessThanOrEqual(before);
  });

  test('gives all metrics to whoever may read them, and says nothing of the node to others', async () => {
    const { page } = await site.visit(`/#token=${await administrator()}`);
    const button = page.getByRole('button', { name: '/metrics' });
    const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toContain('spear_slots 6');

    const connection = connect(site.server.grpcAddress, { token: await administrator(), tenant: 'other' });
    const access = connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'reader', role: Role.OBSERVE });
    connection.close();
    const { page: theirs } = await site.visit(`/#token=${secret}`);
    const strip = theirs.getByRole('region', { name: 'The last 10 minutes' });
    await strip.getByText('running 0, at most 0').waitFor();
    await strip.getByText('completed 0, at most 0; failed 0, at most 0').waitFor();
    expect(await strip.locator('[data-figure]').count()).toBe(4);
    expect(await theirs.getByRole('button', { name: '/metrics' }).count()).toBe(0);
  });
});
