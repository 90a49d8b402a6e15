/** The page of an execution says who was told of its end, and lets who may tell it again. */
import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { chromium, describeWhere } from '../../support/needs.ts';
import { type Receiver, startReceiver } from '../../support/webhook-receiver.ts';
import { secretsFolder } from '../../support/webhook-secrets.ts';
import { useSite } from './site.ts';

const secrets = await secretsFolder();
afterAll(() => rm(secrets, { recursive: true }));

describeWhere([await chromium()], 'the webhooks of an execution', () => {
  const flags = { anonymousRole: 'none', allowPrivateWebhookHosts: 'true', secretsDir: secrets };
  const site = useSite(flags, async (server) => {
    await server.register('loop', 'misbehaving/loop.wasm');
  });
  let receiver: Receiver;

  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.close());

  /** The part of the page that has them, as whoever has a link of `spear page --role`. */
  async function webhooks(role: Role, executionId: string) {
    const { code } = await site.server.connection.service(AccessService).createPageCode({ role });
    const { page } = await site.visit(`/?execution=${executionId}#code=${code}`);
    const region = page.getByRole('region', { name: 'Webhooks' });
    await region.waitFor();
    return { page, region, rows: region.locator('tbody tr') };
  }

  test('are listed when it ends, with what the receiver answered, and told again by who may', async () => {
    receiver.answer = (response) => response.writeHead(410).end();
    const executionId = await site.invoke({
      task: 'loop',
      onEnd: [{ url: `${receiver.url}/secret` }] as never,
    });
    const { region, rows } = await webhooks(Role.OPERATE, executionId);
    await region.getByText('They are told of its end').waitFor();
    await site.cancel(executionId);
    const row = rows.filter({ hasText: '/hook/secret' });
    await row.getByText('dead', { exact: true }).waitFor();
    await row.getByText(/410/).waitFor();
    receiver.answer = undefined;
    await row.getByRole('button', { name: 'Redrive' }).click();
    await row.getByText('delivered', { exact: true }).waitFor();
    await row.getByText('HTTP 204').waitFor();
    expect(receiver.received.map(({ id }) => id)).toEqual(Array(2).fill(receiver.received[0]?.id));
  });

  test('say when one that waits is tried next', async () => {
    receiver.answer = (response) => response.writeHead(503, { 'retry-after': '3600' }).end();
    const executionId = await site.invoke({
      task: 'noop',
      functionName: 'noop',
      onEnd: [{ url: receiver.url }] as never,
    });
    const { rows } = await webhooks(Role.OPERATE, executionId);
    await rows.getByText(/^in (59 m|1 h)/).waitFor();
    await rows.getByText('pending', { exact: true }).waitFor();
    await rows.getByText(/503/).waitFor();
    // What waits is tried by itself.
    expect(await rows.getByRole('button').count()).toBe(0);
  });

  test('show who may only observe neither paths nor what tells it again', async () => {
    const executionId = await site.invoke({
      task: 'noop',
      functionName: 'noop',
      onEnd: [{ url: receiver.url }] as never,
    });
    const { rows } = await webhooks(Role.OBSERVE, executionId);
    await rows.getByText('delivered', { exact: true }).waitFor();
    await rows.getByText(new URL(receiver.url).origin, { exact: true }).waitFor();
    expect(await rows.getByRole('button').count()).toBe(0);
  });

  test('are not there where there are none', async () => {
    const executionId = await site.invoke({ task: 'noop', functionName: 'noop' });
    const { code } = await site.server.connection.service(AccessService).createPageCode({ role: Role.ADMIN });
    const { page } = await site.visit(`/?execution=${executionId}#code=${code}`);
    await page.getByRole('region', { name: 'Input and result' }).waitFor();
    await page.getByText('Completed', { exact: true }).first().waitFor();
    expect(await page.getByRole('region', { name: 'Webhooks' }).count()).toBe(0);
  });
});
