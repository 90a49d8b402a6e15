/** What a task was and what its name goes to, seen and moved on the page. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { RevisionService } from '../../../src/server/gen/spearlet/revision_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'the revisions of a task on the page', () => {
  const site = useSite();
  const service = () => site.server.connection.service(RevisionService);
  const aliasesOf = (page: Page) => page.getByRole('region', { name: 'Aliases', exact: true });

  /** Three revisions, the last two of the same program. */
  async function register(task: string): Promise<void> {
    await site.server.register(task, 'misbehaving/cat.wasm');
    await site.server.register(task, 'misbehaving/exit.wasm');
    await site.server.register(task, 'misbehaving/exit.wasm', { description: 'the third' });
  }

  async function runs(task: string): Promise<number | undefined> {
    const { executionId } = await site.server.functions.invokeFunction({ task });
    return (await site.server.functions.getExecutionStatus({ executionId })).result?.taskRevision;
  }

  test('are listed and compared, and their alias is set, shared out and rolled back', async () => {
    await register('report');
    const { page } = await site.visit('/');
    await page.getByRole('link', { name: 'Tasks' }).click();
    await page.getByRole('region', { name: 'All tasks' }).getByRole('link', { name: 'report' }).click();
    const revisions = page.getByRole('region', { name: 'Revisions', exact: true });
    await revisions.getByRole('row', { name: /^3 100 %.*description$/ }).waitFor();
    await revisions.getByRole('row', { name: /^2 .*artifact/ }).waitFor();
    const difference = page.getByRole('region', { name: 'Difference' });
    await difference.getByRole('row', { name: 'description not set "the third"' }).waitFor();
    await difference.getByLabel('From revision').selectOption('1');
    await difference
      .getByRole('row', { name: /artifact/ })
      .first()
      .waitFor();
    expect(await barriers(page)).toEqual([]);

    const aliases = aliasesOf(page);
    const dialog = page.getByRole('dialog');
    await aliases.getByText('there is no alias live').waitFor();
    await aliases.getByRole('button', { name: 'Roll back' }).click();
    await dialog.getByText('names revision 2').waitFor();
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await aliases.getByText('live = 2').waitFor();
    await revisions.getByRole('row', { name: /^2 100 % live/ }).waitFor();
    expect(await runs('report')).toBe(2);

    await aliases.getByLabel('Revision, or shares').fill('1:90, newest:10');
    await aliases.getByRole('button', { name: 'Set alias' }).click();
    await aliases.getByText('live = 1:90,3:10').waitFor();
    await revisions.getByRole('row', { name: /^1 90 % live/ }).waitFor();
    await revisions.getByRole('row', { name: /^3 10 % live/ }).waitFor();

    await aliases.getByRole('button', { name: 'Roll back live' }).click();
    await dialog.getByText('live goes from 1:90,3:10 back to 2.').waitFor();
    await dialog.getByRole('button', { name: 'Roll back' }).click();
    await aliases.getByText('live = 2').waitFor();
    expect(await runs('report')).toBe(2);
  });

  test('an alias that somebody else has moved is not moved unseen, and bad shares are said to be', async () => {
    await register('moved');
    await service().setAlias({ task: 'moved', alias: 'live', shares: [{ revision: 1, percent: 100 }] });
    const visit = await site.visit();
    const { page } = visit;
    // The page reads its revisions again by itself, and must not hear of the move before it has tried its own.
    let moved = Promise.resolve();
    const tried = Promise.withResolvers<void>();
    await page.route('**/RevisionService/ListRevisions', async (route) => {
      const response = await route.fetch();
      await moved;
      await route.fulfill({ response });
    });
    await visit.open('/?view=tasks&task=moved');
    const aliases = aliasesOf(page);
    await aliases.getByText('live = 1').waitFor();
    const shares = aliases.getByLabel('Revision, or shares');
    const set = aliases.getByRole('button', { name: 'Set alias' });
    for (const [text, words] of [
      ['one', 'allowed are such as 3, newest and 3:90,4:10'],
      ['1:90,2:20', '110'],
      ['99', '99'],
    ] as const) {
      await shares.fill(text);
      await set.click();
      await aliases.getByRole('alert').getByText(words).waitFor();
    }
    moved = tried.promise;
    await service().setAlias({ task: 'moved', alias: 'live', shares: [{ revision: 2, percent: 100 }] });
    await shares.fill('3');
    await set.click();
    await aliases.getByRole('alert').getByText('version').waitFor();
    tried.resolve();
    // What it is now is shown, and can be moved from there.
    await aliases.getByText('live = 2').waitFor();
    await set.click();
    await aliases.getByText('live = 3').waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  test('are shown to who may only look, who is offered no move', async () => {
    await register('watched');
    const { code } = await site.server.connection
      .service(AccessService)
      .createPageCode({ role: Role.DEVELOP });
    const { page } = await site.visit(`/?view=tasks&task=watched#code=${code}`);
    await page.getByRole('region', { name: 'Difference' }).getByText('"the third"').waitFor();
    expect(await aliasesOf(page).getByRole('button').count()).toBe(0);
  });
});
