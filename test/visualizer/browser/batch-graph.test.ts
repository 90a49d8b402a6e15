/** A batch as a graph, and what one execution waits for, as a reader of the page sees them. */

import { type Duration, durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

interface Member {
  readonly name: string;
  readonly invocation: {
    readonly task: string;
    readonly args?: string[];
    readonly startAfter?: Duration;
    readonly dependsOn?: {
      readonly name: string;
      readonly condition?: number;
      readonly onFailure?: number;
    }[];
  };
}

describeWhere([await chromium()], 'the graph of a batch on the page', () => {
  const site = useSite({ slots: '4' }, async (server) => {
    await server.register('fetch', 'misbehaving/exit.wasm');
    await server.register('resize', 'misbehaving/cat.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });

  async function runBatch(members: Member[]): Promise<string> {
    const { batch } = await site.server.batches.invokeBatch({ members });
    return batch?.batchId ?? '';
  }

  /** Admitted, and kept from starting. */
  async function keepBatch(members: Member[]): Promise<string> {
    async function* parts() {
      yield { options: {} };
      for (let from = 0; from < members.length; from += 500) {
        yield { members: members.slice(from, from + 500) };
      }
    }
    const { batch } = await site.server.batches.invokeBatchFromStream(parts());
    return batch?.batchId ?? '';
  }

  const graphOf = (page: Page) => page.getByRole('region', { name: 'Graph' });
  const tableOf = (page: Page) => page.getByRole('region', { name: 'One by one' });
  const elementsOf = (page: Page) => graphOf(page).locator('*').count();

  /** Twenty fetches of which two fail, what follows each, and one that follows all. */
  const threeLayers = (): Member[] => [
    ...Array.from({ length: 20 }, (_, n) => ({
      name: `fetch${n}`,
      invocation: { task: 'fetch', args: [n % 10 === 3 ? '3' : '0'] },
    })),
    ...Array.from({ length: 20 }, (_, n) => ({
      name: `resize${n}`,
      invocation: { task: 'resize', dependsOn: [{ name: `fetch${n}` }] },
    })),
    {
      name: 'sum',
      invocation: {
        task: 'resize',
        dependsOn: Array.from({ length: 20 }, (_, n) => ({ name: `resize${n}` })),
      },
    },
  ];

  test('shows three layers and what failed in them, and leads to a member and back', async () => {
    const batchId = await runBatch(threeLayers());
    await site.server.batches.waitBatch({ batchId });
    const { page } = await site.visit(`/?view=batches&batch=${batchId}`);
    const graph = graphOf(page);
    const fetches = graph.getByRole('link', { name: /^Layer 1, fetch 20 18 completed, 2 failed/ });
    await fetches.waitFor();
    await graph
      .getByRole('link', { name: /^Layer 2, resize 20 18 completed, 2 failed ?; follows fetch of Layer 1$/ })
      .waitFor();
    await graph
      .getByRole('link', { name: /^Layer 3, resize 1 1 failed ?; follows resize of Layer 2$/ })
      .waitFor();
    expect(await graph.locator('.graph-way').count()).toBe(2);
    expect(await barriers(page)).toEqual([]);

    const table = tableOf(page);
    await fetches.click();
    await table.getByRole('combobox').selectOption('Failed');
    await expect.poll(() => table.getByRole('row').count()).toBe(3);
    expect(await table.getByRole('row').nth(1).textContent()).toContain('fetch3');
    const chosen = page.url();
    expect(chosen).toContain('status=failed&task=fetch');
    expect(chosen).toContain('layers=1');
    await table.getByRole('row').nth(1).getByRole('link').click();

    // From what failed to what failed because of it, and to their batch.
    const execution = new ExecutionPage(page);
    await execution.lit('failed');
    const beside = page.getByRole('region', { name: 'Before and after it' });
    const follower = beside.getByRole('listitem').filter({ hasText: 'has to complete' });
    await follower.getByText('Failed').waitFor();
    expect(await barriers(page)).toEqual([]);
    const first = new URL(page.url()).searchParams.get('execution') ?? '';
    await follower.getByRole('link', { name: /resize/ }).click();
    const followed = beside.getByRole('listitem').filter({ hasText: first });
    await followed.waitFor();
    await beside.getByRole('heading', { name: 'Follows', exact: true }).waitFor();
    expect(await beside.getByRole('link', { name: batchId }).getAttribute('href')).toBe(
      `/?view=batches&batch=${batchId}`,
    );
    await page.goBack();
    await execution.lit('failed');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.url()).toBe(chosen);
    await expect.poll(() => table.getByRole('row').count()).toBe(3);

    // The choice is taken back bit by bit.
    await table.getByRole('link', { name: 'Not only fetch' }).click();
    await table.getByRole('link', { name: 'Not only layer 1' }).click();
    await expect.poll(() => table.getByRole('row').count()).toBe(6);
  });

  test('is without barriers in the dark, and fits a narrow window', async () => {
    const batchId = await runBatch(threeLayers());
    await site.server.batches.waitBatch({ batchId });
    const { page } = await site.visit(`/?view=batches&batch=${batchId}&layers=2&task=resize`, {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
    });
    await graphOf(page)
      .getByRole('link', { name: /^Layer 2/ })
      .waitFor();
    await tableOf(page).getByRole('row').nth(20).waitFor();
    expect(await barriers(page)).toEqual([]);
    const tooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
    expect(await page.evaluate(tooWide)).toBe(false);
  });

  test('stays small and of use with 10 000 members, side by side or in a chain', async () => {
    const startAfter = durationFromMs(86_400_000);
    const wide = Array.from({ length: 5000 }, (_, n): Member[] => [
      { name: `a${n}`, invocation: { task: 'fetch', startAfter } },
      { name: `b${n}`, invocation: { task: 'resize', dependsOn: [{ name: `a${n}` }] } },
    ]).flat();
    const batchId = await keepBatch(wide);
    const { page } = await site.visit(`/?view=batches&batch=${batchId}`);
    const graph = graphOf(page);
    await graph.getByRole('link', { name: /^Layer 2, resize 5,000 5,000 pending/ }).waitFor();
    expect(await elementsOf(page)).toBeLessThan(100);
    const table = tableOf(page);
    await graph.getByRole('link', { name: /^Layer 2, resize/ }).click();
    await table.getByText('#1 b0').waitFor();
    await table.getByRole('button', { name: 'Next' }).click();
    await table.getByText('#101 b50').waitFor();
    await table.getByText('51–100').waitFor();
    expect(await table.getByRole('row').count()).toBe(51);
    await table.getByRole('button', { name: 'Before' }).click();
    await table.getByText('#1 b0').waitFor();

    const chain = await keepBatch(
      Array.from(
        { length: 10_000 },
        (_, n): Member => ({
          name: `m${n}`,
          invocation: {
            task: 'fetch',
            ...(n === 0 ? { startAfter } : { dependsOn: [{ name: `m${n - 1}` }] }),
          },
        }),
      ),
    );
    await page.goto(
      `${site.server.httpAddress.replace(/^(?!http)/, 'http://')}/?view=batches&batch=${chain}`,
    );
    await graph.getByRole('link', { name: 'Layers 1,251–2,500', exact: true }).click();
    await graph.getByText('Layers 1,251–2,500 of 10,000').waitFor();
    await graph.getByRole('link', { name: /^Layers 1,251–1,407, fetch 157 157 pending/ }).waitFor();
    expect(await elementsOf(page)).toBeLessThan(300);
    await graph.getByRole('link', { name: 'Show all layers' }).click();
    await graph.getByRole('link', { name: 'Layers 1,251–2,500', exact: true }).waitFor();
  });

  test('says on the page of what is blocked which of those that it waits for hold it, live', async () => {
    const batchId = await runBatch([
      { name: 'done', invocation: { task: 'resize' } },
      { name: 'loop', invocation: { task: 'loop' } },
      {
        name: 'last',
        invocation: {
          task: 'resize',
          dependsOn: [{ name: 'done' }, { name: 'loop', condition: 2, onFailure: 2 }],
        },
      },
    ]);
    const { members } = await site.server.batches.listBatchMembers({ batchId });
    const [done = '', loop = '', last = ''] = members.map((member) => member.executionId);
    await site.server.functions.waitExecution({ executionId: done });
    const { page } = await site.visit(`/?execution=${last}`);
    const beside = page.getByRole('region', { name: 'Before and after it' });
    await beside.getByRole('heading', { name: 'Waits for 1 of 2' }).waitFor();
    const holding = beside.getByRole('listitem').filter({ hasText: 'holds it' });
    expect(await holding.getByRole('link').textContent()).toContain(loop);
    expect(await holding.textContent()).toContain('has to end; runs anyway where it does not');
    expect(await barriers(page)).toEqual([]);
    await site.cancel(loop);
    await new ExecutionPage(page).lit('completed');
    await beside.getByRole('heading', { name: 'Follows', exact: true }).waitFor();
    await beside.getByText('Cancelled').waitFor();
    expect(await holding.count()).toBe(0);
  });

  test('goes on while members end', async () => {
    const batchId = await runBatch([
      { name: 'loop', invocation: { task: 'loop' } },
      { name: 'after', invocation: { task: 'resize', dependsOn: [{ name: 'loop' }] } },
    ]);
    const { page } = await site.visit(`/?view=batches&batch=${batchId}`);
    const graph = graphOf(page);
    await graph.getByRole('link', { name: /^Layer 1, loop 1 1 running/ }).waitFor();
    await graph.getByRole('link', { name: /^Layer 2, resize 1 1 pending/ }).waitFor();
    const { members } = await site.server.batches.listBatchMembers({ batchId });
    await site.cancel(members[0]?.executionId ?? '');
    await graph.getByRole('link', { name: /^Layer 2, resize 1 1 failed/ }).waitFor();
    await tableOf(page).getByText('DEPENDENCY_FAILED').waitFor();
  });
});
