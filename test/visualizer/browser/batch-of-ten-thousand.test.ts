/** A batch of ten thousand with a failing tenth is understood, and run again once mended, from the page alone. */
import type { Locator, Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

/** Each import is followed by its report; each tenth import fails, and its report with it. */
const imports = 5000;
/** For ten thousand executions on a busy machine. */
const patient = { timeout: 300_000 };

describeWhere([await chromium()], 'a batch of ten thousand on the page', () => {
  const site = useSite({ slots: '4' }, async (server) => {
    await server.register('import', 'misbehaving/exit.wasm');
    await server.register('report', 'misbehaving/cat.wasm');
  });

  async function runBatch(): Promise<string> {
    const members = Array.from({ length: imports }, (_, n) => [
      { name: `import${n}`, invocation: { task: 'import', args: [n % 10 === 3 ? '3' : '0'] } },
      { name: `report${n}`, invocation: { task: 'report', dependsOn: [{ name: `import${n}` }] } },
    ]).flat();
    async function* parts() {
      yield { options: {} };
      for (let from = 0; from < members.length; from += 500) {
        yield { members: members.slice(from, from + 500) };
      }
    }
    const { batch } = await site.server.batches.invokeBatchFromStream(parts());
    return batch?.batchId ?? '';
  }

  const region = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true });

  test('says what failed and why, and runs the failed again', { timeout: 900_000 }, async () => {
    const batchId = await runBatch();
    const { page } = await site.visit('/?view=batches');
    await page.getByRole('link', { name: batchId }).click();

    // How it stands, as a whole and by layer.
    await region(page, 'Members')
      .getByText('9,000 completed, 1,000 failed', { exact: true })
      .waitFor(patient);
    const graph = region(page, 'Graph');
    const layer = (name: RegExp) => graph.getByRole('link', { name });
    await layer(/^Layer 1, import 5,000 4,500 completed, 500 failed/).waitFor(patient);
    await layer(/^Layer 2, report 5,000 4,500 completed, 500 failed ?; follows import of Layer 1$/).waitFor();
    expect(await graph.locator('*').count()).toBeLessThan(100);

    // Why: half of it is not a failure of its own.
    const failures = region(page, 'What did not complete');
    await failures.getByRole('link', { name: '500 members: Failed DEPENDENCY_FAILED' }).waitFor(patient);
    await failures.getByRole('link', { name: '500 members: Failed FUNCTION_EXIT' }).waitFor();
    expect(await failures.getByRole('row').count()).toBe(3);
    expect(await barriers(page)).toEqual([]);

    // One by one, from what failed for another to what failed by itself.
    const table = region(page, 'One by one');
    await layer(/^Layer 2, report/).click();
    await table.getByRole('combobox').selectOption('Failed');
    await table.getByText('#7 report3').waitFor();
    expect(await table.getByRole('row').count()).toBe(51);
    await table.getByRole('button', { name: 'Next' }).click();
    await table.getByText('#1007 report503').waitFor();
    await table.getByRole('row').nth(1).getByRole('link').click();
    const execution = new ExecutionPage(page);
    await execution.lit('failed');
    const beside = region(page, 'Before and after it');
    await beside.getByRole('link', { name: /import/ }).click();
    await page.getByText('FUNCTION_EXIT').first().waitFor();
    await execution.lit('failed');
    await page.goto(new URL(`/?view=batches&batch=${batchId}`, page.url()).href);

    // A group in the list of executions, which reads on as it is looked through.
    await failures.getByRole('link', { name: '500 members: Failed FUNCTION_EXIT' }).click();
    const list = new ListPage(page);
    await expect.poll(() => list.count(), patient).toBeGreaterThanOrEqual(100);
    expect(new Set(await list.states())).toEqual(new Set(['Failed']));
    await page.goBack();

    // The program is mended. All that failed runs again, reports behind their imports, once it is known how many that is.
    await site.server.register('import', 'misbehaving/cat.wasm');
    await page.getByRole('button', { name: 'Run again', exact: true }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1,000 of 1,000 can run again.').waitFor(patient);
    await dialog.getByLabel('With which revision').fill('newest');
    await dialog.getByLabel('With which revision').press('Tab');
    await dialog.getByRole('button', { name: 'Run 1,000 again' }).click();
    await dialog.getByText('All have ended: 1,000 of 1,000 ended').waitFor(patient);
    await dialog.getByText('1,000 completed').waitFor();
    expect(await dialog.getByRole('link', { name: 'did not complete' }).count()).toBe(0);
    await dialog.getByRole('link', { name: 'The new executions' }).click();
    await expect.poll(() => list.count(), patient).toBeGreaterThanOrEqual(100);
    expect(new Set(await list.states())).toEqual(new Set(['Completed']));
  });
});
