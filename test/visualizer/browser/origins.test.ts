/** The list of executions by where they come from: a batch, or a schedule. */
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { ScheduleService } from '../../../src/server/gen/spearlet/schedule_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { barriers } from './barriers.ts';
import { ListPage } from './list-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'the list of executions', () => {
  const site = useSite({ slots: '4' }, (server) => server.register('exit', 'misbehaving/exit.wasm'));

  test('lists what a batch or a schedule has made, and runs again what failed of it', async () => {
    const { server } = site;
    await site.invoke({ task: 'exit', args: ['0'] });
    const { batch } = await server.batches.invokeBatch({
      members: [{ invocation: { task: 'exit', args: ['0'] } }, { invocation: { task: 'exit', args: ['3'] } }],
    });
    const batchId = batch?.batchId ?? '';
    await server.batches.waitBatch({ batchId });
    const schedules = server.connection.service(ScheduleService);
    // By hand alone, in this time.
    const startAt = timestampFromMs(Date.now() + 86_400_000);
    const when = { case: 'interval', value: durationFromMs(86_400_000) } as const;
    await schedules.createSchedule({
      definition: { name: 'often', invocation: { task: 'exit', args: ['5'] }, when, startAt, overlap: 4 },
    });
    for (let times = 0; times < 3; times++) {
      const { firing } = await schedules.triggerSchedule({ name: 'often' });
      await server.functions.waitExecution({ executionId: firing?.executionId ?? '' });
    }

    const { page } = await site.visit('/');
    const list = new ListPage(page);
    const { executions: all } = await server.functions.listExecutions({ pageSize: 1000 });
    await expect.poll(() => list.count()).toBe(all.length);
    const origin = page.getByRole('combobox', { name: 'Batch or schedule' });
    await origin.focus();
    await expect.poll(() => origin.locator('option').count()).toBe(3);
    await origin.selectOption('schedule often');
    await expect.poll(() => list.count()).toBe(3);
    expect(list.query()).toBe('?schedule=often');
    expect(await barriers(page)).toEqual([]);

    // What failed of it runs again, once it is known how many that is.
    await page.getByRole('button', { name: 'Run again' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('of the schedule often').waitFor();
    await dialog.getByRole('button', { name: 'Run 3 again' }).click();
    await dialog.getByText('All have ended: 3 of 3 ended').waitFor();
    await dialog.getByRole('button', { name: 'Close', exact: true }).last().click();

    await origin.selectOption(`batch ${batchId}`);
    await expect.poll(() => list.count()).toBe(2);
    expect(list.query()).toBe(`?batch=${batchId}`);
    await page.getByRole('button', { name: `No longer only members of ${batchId}` }).click();
    await expect.poll(() => list.count()).toBe(all.length + 3);

    // An id that somebody was sent, and the page of the schedule, lead there, too.
    await page.getByRole('searchbox').fill(batchId);
    await page.getByText('Enter lists its members').waitFor();
    await page.getByRole('searchbox').press('Enter');
    await expect.poll(() => list.query()).toBe(`?batch=${batchId}`);
    await expect.poll(() => list.count()).toBe(2);
    await page.goto(new URL('/?view=schedules&schedule=often', page.url()).href);
    await page.getByRole('link', { name: 'All that it has fired' }).click();
    await expect.poll(() => list.count()).toBe(3);
    expect(list.query()).toBe('?schedule=often');
  });
});
