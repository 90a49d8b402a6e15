/** What a cluster does once, whichever of its nodes there are. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ScheduleService } from '../../src/server/gen/spearlet/schedule_pb.js';
import { dataFolder } from '../server/spawned.ts';
import { describeWhere } from '../support/needs.ts';
import { type PostgresServer, postgres, startPostgres } from '../support/postgres.ts';
import { clusterOn } from './nodes.ts';

const long = { timeout: 60_000, interval: 100 };

describeWhere([postgres()], 'schedules and webhooks in a cluster', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.remove());

  test('each instant fires once and each end is told once, also when the node that does it is killed', async () => {
    const told: string[] = [];
    const receiver = createServer((request, response) => {
      told.push(String(request.headers['webhook-id']));
      response.end();
    });
    await new Promise<void>((resolve) => void receiver.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void receiver.close());
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const secretsDir = await dataFolder();
    await mkdir(join(secretsDir, 'default'), { recursive: true });
    await writeFile(join(secretsDir, 'default', 'webhook'), `whsec_${randomBytes(32).toString('base64')}\n`, {
      mode: 0o600,
    });
    const flags = { allowPrivateWebhookHosts: 'true', secretsDir };
    const cluster = await clusterOn(server);
    const [one, two] = [await cluster.add(flags), await cluster.add(flags)];
    await two.register('ticker', 'ticker/ticker.wasm', { onEnd: [{ url }] });
    // Asked of the node that does not fire it.
    await two.connection.service(ScheduleService).createSchedule({
      definition: {
        name: 'each',
        when: { case: 'interval', value: durationFromMs(1000) },
        invocation: { task: 'ticker', args: ['1'] },
      },
    });
    const fired = async () =>
      (
        await cluster.query(
          "SELECT c.invocation_id AS id, x.status FROM spear.claims c JOIN spear.executions x USING (execution_id) WHERE c.invocation_id LIKE 'schedule/each/%'",
        )
      ).map(({ id, status }) => ({ id: String(id), status: String(status) }));
    await expect.poll(async () => (await fired()).length, long).toBeGreaterThanOrEqual(3);
    await expect.poll(() => told.length, long).toBeGreaterThanOrEqual(2);
    one.process.kill('SIGKILL');
    const before = (await fired()).length;
    await expect.poll(async () => (await fired()).length, long).toBeGreaterThanOrEqual(before + 3);
    const all = await fired();
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    await expect.poll(() => new Set(told).size, long).toBeGreaterThanOrEqual(before + 2);
    // The one under way when the node was killed may be told again, with its id.
    expect(told.length - new Set(told).size).toBeLessThanOrEqual(1);
  });
});
