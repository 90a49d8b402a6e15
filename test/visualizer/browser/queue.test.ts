/** Who waits, what holds them and what frees them, as a reader of the page sees it. */
import { expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'the queue on the page', () => {
  const site = useSite({ slots: '3' }, async (server) => {
    await server.register('by-user', 'misbehaving/loop.wasm', {
      concurrency: [{ key: 'metadata.user', limit: 1 }],
    } as never);
  });

  test('says what holds whom, who does, and what frees them, and goes on when they are free', async () => {
    const { page } = await site.visit('/?task=by-user');
    const metadata = { user: 'ann' };
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) ids.push(await site.invoke({ task: 'by-user', metadata }));
    const [holder = '', next = '', third = ''] = ids;
    await page.keyboard.press('q');
    const view = page.getByRole('region', { name: 'Queue', exact: true });
    const line = view.getByRole('article', { name: 'normal, no fairness key' });
    const held = line.getByRole('listitem').filter({ hasText: 'concurrency' });
    await held.getByText('3 waiting').waitFor();
    await view.getByText('3 of them held').waitFor();
    await held
      .getByText('all that may run at a time with concurrency key metadata.user "ann" do: the limit is 1')
      .waitFor();
    await held.getByText('the first of its line goes on when one of those that hold it ends').waitFor();
    expect(await held.getByText('held by').locator('..').getByRole('link').allTextContents()).toEqual([
      holder,
    ]);
    expect(await held.getByText('first is').locator('..').getByRole('link').allTextContents()).toEqual([
      next,
    ]);
    expect(await page.title()).toContain('Queue');
    expect(await barriers(page)).toEqual([]);

    await site.cancel(holder);
    await held.getByText('2 waiting').waitFor();
    await held.getByText('held by').locator('..').getByRole('link', { name: next }).waitFor();
    await held.getByText('first is').locator('..').getByRole('link', { name: third }).waitFor();

    await held.getByRole('link', { name: next }).click();
    await new ExecutionPage(page).lit('running.attempting');
    await page.keyboard.press('Escape');
    await held.waitFor();
    for (const id of ids.slice(1).toReversed()) await site.cancel(id);
    await view.getByText('Nobody waits, and nothing runs').waitFor();
  });

  test('is live under load, and fits a narrow window in the dark', async () => {
    const metadata = { user: 'bob' };
    const ids: string[] = [];
    for (let n = 0; n < 3; n++)
      ids.push(await site.invoke({ task: 'by-user', metadata, fairnessKey: 'k '.repeat(100) }));
    site.putUnderLoad();
    const { page } = await site.visit('/?view=queue', {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
    });
    const held = page.getByRole('listitem').filter({ hasText: 'concurrency' });
    await held.getByText('2 waiting').waitFor();
    const tooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
    expect(await page.evaluate(tooWide)).toBe(false);
    const lines = page.getByRole('region', { name: 'Lines' });
    expect(await lines.evaluate((element) => element.scrollWidth > element.clientWidth)).toBe(false);
    expect(await barriers(page)).toEqual([]);
    await site.rest();
    for (const id of ids.toReversed()) await site.cancel(id);
    await page.getByText('Nobody waits, and nothing runs').waitFor();
  });

  test('is asked for while it is shown, and no longer', async () => {
    const { page } = await site.visit('/?view=queue');
    let asked = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/NodeService/GetQueue')) asked += 1;
    });
    await expect.poll(() => asked).toBeGreaterThan(1);
    await page.keyboard.press('t');
    await page.getByRole('tree').waitFor();
    const before = asked;
    // The tree asks on its own beat, which is slower.
    let turns = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/InstanceService/ListInstances')) turns += 1;
    });
    await expect.poll(() => turns).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(before);
  });

  test('says why it shows nothing to a reader who sees some tasks only', async () => {
    const { secret } = await site.server.connection
      .service(AccessService)
      .createToken({ name: 'few', role: Role.OBSERVE, tasks: ['noop'] });
    const { page } = await site.visit(`/?view=queue#token=${secret}`);
    await page.getByText('this token is for tasks "noop"').waitFor();
  });
});
