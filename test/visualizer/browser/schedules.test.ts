/** Schedules as a reader of the page sees them: what comes, what has been, and what a role may do with them. */
import type { Locator, Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { ServiceClient } from '../../../src/client/channel.ts';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { ScheduleService } from '../../../src/server/gen/spearlet/schedule_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

const actions = ['Trigger now', 'Backfill', 'Pause', 'Delete'];
const yearly = { case: 'cron', value: '30 2 1 7 *' } as const;

describeWhere([await chromium()], 'schedules on the page', () => {
  const site = useSite({ anonymousRole: 'none' }, async (server) => {
    await server.register('cat', 'misbehaving/cat.wasm');
    await server.register('loop', 'misbehaving/loop.wasm');
  });
  let schedules: ServiceClient<typeof ScheduleService>;

  beforeAll(() => {
    schedules = site.server.connection.service(ScheduleService);
  });

  type Definition = NonNullable<Parameters<(typeof schedules)['createSchedule']>[0]['definition']>;

  async function make(name: string, more: object = {}): Promise<void> {
    const definition = { name, invocation: { task: 'cat' }, when: yearly, ...more } as Definition;
    await schedules.createSchedule({ definition });
  }

  /** As whoever has a link of `spear page --role`. */
  async function reader(role: Role, path: string, options = {}): Promise<Page> {
    const { code } = await site.server.connection.service(AccessService).createPageCode({ role });
    const { page } = await site.visit(`/${path}#code=${code}`, options);
    return page;
  }

  const one = (page: Page): Locator => page.getByRole('region', { name: 'Schedule', exact: true });
  const part = (page: Page, name: string): Locator => one(page).getByRole('region', { name, exact: true });
  const action = (page: Page, name: string): Locator => one(page).getByRole('button', { name, exact: true });

  async function offered(page: Page): Promise<readonly string[]> {
    await one(page).getByRole('heading', { level: 1 }).waitFor();
    await part(page, 'What it says').waitFor();
    const shown = await one(page).locator('.schedule-actions').getByRole('button').allTextContents();
    return shown;
  }

  test('one is found in the list, triggered, its execution followed, and back', async () => {
    await make('nightly', { timezone: 'Europe/Berlin', description: 'the books of the day' });
    const page = await reader(Role.ADMIN, '', { timezoneId: 'Asia/Tokyo' });
    await page.keyboard.press('s');
    const row = page.getByRole('row', { name: /nightly/ });
    await row.getByText('Active').waitFor();
    expect(await row.getByRole('cell').allTextContents()).toEqual([
      'nightly',
      'cat',
      '30 2 1 7 * Europe/Berlin',
      'Active',
      expect.stringMatching(/^in \d+ d \d\d h$/),
      'none yet',
    ]);
    expect(await page.title()).toContain('Schedules');
    expect(await barriers(page)).toEqual([]);

    await row.getByRole('link', { name: 'nightly' }).click();
    await part(page, 'What it says').getByText('the books of the day').waitFor();
    const coming = part(page, 'What comes');
    expect(await coming.getByRole('columnheader').allTextContents()).toEqual([
      'Comes',
      'Europe/Berlin, its time zone',
      'Asia/Tokyo, yours',
    ]);
    const next = await coming.getByRole('row').nth(1).getByRole('cell').allTextContents();
    expect(next[1]).toMatch(/1 Jul \d{4}, 02:30:00 GMT\+02:00$/);
    expect(next[2]).toMatch(/1 Jul \d{4}, 09:30:00 GMT\+09:00$/);
    await new ExecutionPage(page).lit('active.waiting');
    expect(await page.locator('.way[aria-label*="from active.waiting to active.firing"]').count()).toBe(1);
    expect(await barriers(page)).toEqual([]);

    await action(page, 'Trigger now').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Fire now' }).click();
    await page.getByRole('status').getByText('nightly has fired').waitFor();
    const fired = part(page, 'What has been').getByRole('row', { name: /a trigger/ });
    await fired.getByText('Completed').waitFor();
    await fired.getByRole('link', { name: /^exec_/ }).click();
    const seen = new ExecutionPage(page);
    await seen.lit('completed');
    await seen.pane('Run');
    await seen.panes.getByRole('link', { name: 'nightly' }).click();
    await fired.waitFor();
    await fired.getByRole('link', { name: /^exec_/ }).click();
    await seen.lit('completed');
    await page.keyboard.press('Escape');
    await fired.waitFor();
  });

  test('one is paused with a reason, resumed and deleted', async () => {
    await make('weekly');
    const page = await reader(Role.DEVELOP, '?view=schedules&schedule=weekly', { colorScheme: 'dark' });
    const dialog = page.getByRole('dialog');
    await action(page, 'Pause').click();
    await dialog.getByLabel(/^Reason/).fill('until the books are closed');
    expect(await barriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Pause', exact: true }).click();
    await part(page, 'What it says').getByText('until the books are closed').waitFor();
    await part(page, 'What comes').getByText('if it were resumed').waitFor();
    await new ExecutionPage(page).lit('paused');
    const { schedule } = await schedules.getSchedule({ name: 'weekly' });
    expect(schedule?.pauseReason).toBe('until the books are closed');
    expect(await action(page, 'Pause').count()).toBe(0);
    expect(await barriers(page)).toEqual([]);

    await page.getByRole('link', { name: 'Schedules' }).first().click();
    await page.getByRole('row', { name: /weekly.*until the books are closed/ }).waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.goBack();

    await action(page, 'Resume').click();
    await dialog.getByRole('button', { name: 'Resume', exact: true }).click();
    await new ExecutionPage(page).lit('active.waiting');

    await action(page, 'Delete').click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('region', { name: 'Schedules', exact: true }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: 'weekly' }).count()).toBe(0);
    await page.goto(`${new URL(page.url()).origin}/?view=schedules&schedule=weekly`);
    await page
      .getByRole('alert')
      .getByText(/weekly/)
      .waitFor();
  });

  test('a backfill says how many before it fires any', async () => {
    await make('hourly', { when: { case: 'cron', value: '0 * * * *' } });
    const page = await reader(Role.INVOKE, '?view=schedules&schedule=hourly');
    await action(page, 'Backfill').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('From (UTC)').fill('2026-01-05T00:00:00');
    await dialog.getByLabel('To (UTC)').fill('2026-01-05T02:30:00');
    await dialog.getByRole('button', { name: 'Count them' }).click();
    await dialog.getByText(/^3 instants, from Mon, 5 Jan 2026, 00:00:00 UTC to/).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect((await schedules.listFirings({ name: 'hourly' })).firings).toEqual([]);

    await dialog.getByLabel('To (UTC)').fill('2026-01-05T01:30:00');
    await dialog.getByRole('button', { name: 'Count them' }).click();
    await dialog.getByRole('button', { name: 'Fire 2' }).click();
    await page.getByRole('status').getByText('hourly has fired 2').waitFor();
    const rows = part(page, 'What has been').getByRole('row', { name: /a backfill.*Completed/ });
    await expect.poll(() => rows.count()).toBe(2);

    await action(page, 'Backfill').click();
    await dialog.getByLabel('From (UTC)').fill('2026-01-05T00:00:00');
    await dialog.getByLabel('To (UTC)').fill('2026-01-04T00:00:00');
    await dialog.getByRole('button', { name: 'Count them' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/from|to/)
      .waitFor();
  });

  test.each([
    ['observe', Role.OBSERVE, []],
    ['invoke', Role.INVOKE, ['Trigger now', 'Backfill']],
    ['develop', Role.DEVELOP, actions],
  ])('%s is offered what the role allows', async (name, role, allowed) => {
    await make(`of-${name}`);
    const page = await reader(role, `?view=schedules&schedule=of-${name}`);
    expect(await offered(page)).toEqual(allowed);
  });

  test('says what is refused again and again, and fits a narrow window in the dark', async () => {
    await site.server.register('gone', 'misbehaving/cat.wasm');
    await make('orphan', { invocation: { task: 'gone' } });
    await site.server.tasks.deleteTask({ task: 'gone' });
    for (let n = 0; n < 2; n++) await schedules.triggerSchedule({ name: 'orphan' }).catch(() => {});
    const page = await reader(Role.OBSERVE, '?view=schedules', {
      viewport: { width: 390, height: 800 },
      colorScheme: 'dark',
    });
    const tooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
    await page.getByText(/^Refused 2 times in a row: .*gone/).waitFor();
    expect(await page.evaluate(tooWide)).toBe(false);
    expect(await barriers(page)).toEqual([]);
    await page.getByRole('link', { name: 'orphan' }).click();
    await part(page, 'What has been').getByText('Refused (TASK_NOT_FOUND)').first().waitFor();
    expect(await page.evaluate(tooWide)).toBe(false);
    expect(await barriers(page)).toEqual([]);
  });

  test('tells a skipped firing and the execution that it met', async () => {
    await make('slow', { invocation: { task: 'loop' } });
    const { firing } = await schedules.triggerSchedule({ name: 'slow' });
    const page = await reader(Role.INVOKE, '?view=schedules&schedule=slow');
    await action(page, 'Trigger now').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Fire now' }).click();
    const skipped = part(page, 'What has been').getByRole('row', { name: /Skipped/ });
    await skipped.getByRole('link', { name: firing?.executionId ?? '' }).click();
    await new ExecutionPage(page).lit('running.attempting');
    await site.cancel(firing?.executionId ?? '');
  });
});
