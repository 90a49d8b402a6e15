/** `/metrics` of a node that works, over HTTP, and as a Prometheus reads it. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { describeWhere, prometheus } from '../support/needs.ts';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

const noop = 'noop/noop.wasm';
let server: LocalServer;
let readsAll = '';

beforeAll(async () => {
  server = await startServer({ anonymousRole: 'none' });
  const access = server.connection.service(AccessService);
  readsAll = (await access.createToken({ name: 'prometheus', role: Role.OBSERVE, allTenants: true })).secret;
});
afterAll(() => server.stop());

function scrape(
  token: string,
  path = '/metrics',
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`http://${server.httpAddress}${path}`, {
    headers: { ...headers, ...(token !== '' && { authorization: `Bearer ${token}` }) },
  });
}

describe('the numbers of all tenants', () => {
  it('are for an administrator, and for a token that was made for them', async () => {
    const access = server.connection.service(AccessService);
    const own = await access.createToken({ name: 'of-one-tenant', role: Role.OPERATE });
    expect((await scrape(adminToken(server.dataDir))).status).toBe(200);
    expect((await scrape(readsAll)).status).toBe(200);
    expect((await scrape('')).status).toBe(401);
    const refused = await scrape(own.secret);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { reason: 'OUT_OF_SCOPE' } });
  });

  it('take a read', async () => {
    const answer = await fetch(`http://${server.httpAddress}/metrics`, { method: 'POST' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('a token of all tenants reads what is of any, and changes nothing', async () => {
    const names = (tenant: string) =>
      fetch(`http://${server.httpAddress}/api/TaskService/ListTasks`, {
        method: 'POST',
        headers: {
          ...{ 'content-type': 'application/json', authorization: `Bearer ${readsAll}` },
          'spear-tenant': tenant,
        },
        body: '{}',
      });
    expect((await names('somebody-else')).status).toBe(200);
    expect((await names('*')).status).toBeLessThan(500);
    const begun = await fetch(`http://${server.httpAddress}/api/FunctionService/InvokeFunction`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${readsAll}` },
      body: '{"task":"none"}',
    });
    expect(begun.status).toBe(403);
  });

  it.each([[{ role: Role.INVOKE }], [{ role: Role.ADMIN }], [{ role: Role.OBSERVE, tasks: ['a-*'] }]])(
    'no token that may do more, or sees less, is one of all tenants (%#)',
    async (wanted) => {
      const access = server.connection.service(AccessService);
      expect(await refusal(access.createToken({ name: 'x', allTenants: true, ...wanted }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        fields: { all_tenants: expect.stringContaining('ROLE_OBSERVE') },
      });
    },
  );
});

describeWhere([await prometheus()], 'a Prometheus', () => {
  it('reads the rules, and of a node what has run on it', async () => {
    const execute = promisify(execFile);
    const root = new URL('../../', import.meta.url).pathname;
    await execute('promtool', ['check', 'rules', join(root, 'monitoring/alerts.yaml')]);
    await server.register('noop', noop);
    for (let index = 0; index < 3; index++) {
      await server.functions.invokeFunction({ task: 'noop', functionName: 'noop' });
    }
    const dir = await mkdtemp(join(tmpdir(), 'spear-prometheus-'));
    await writeFile(join(dir, 'token'), readsAll);
    const config = {
      global: { scrape_interval: '1s' },
      scrape_configs: [
        {
          ...{ job_name: 'spear', authorization: { credentials_file: join(dir, 'token') } },
          static_configs: [{ targets: [server.httpAddress] }],
        },
      ],
    };
    // JSON is YAML.
    await writeFile(join(dir, 'prometheus.yaml'), JSON.stringify(config));
    await execute('promtool', ['check', 'config', join(dir, 'prometheus.yaml')]);
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(dir, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(dir, 'data')}`,
        `--web.listen-address=${address}`,
      ],
      { stdio: 'ignore' },
    );
    onTestFinished(async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await gone;
      await rm(dir, { recursive: true, force: true });
    });
    const value = async (query: string): Promise<string | undefined> => {
      const url = `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`;
      try {
        const answer = (await (await fetch(url)).json()) as {
          readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
        };
        return answer.data.result[0]?.value[1];
      } catch {
        // It does not listen yet.
        return undefined;
      }
    };
    await expect.poll(() => value('up{job="spear"}')).toBe('1');
    const ended =
      'spear_executions_ended_total{task="noop",tenant="default",runtime="wasm",status="completed"}';
    await expect.poll(() => value(ended)).toBe('3');
    expect(await value('spear_execution_run_seconds_count{runtime="wasm"}')).toBe('3');
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address !== null && typeof address === 'object'
          ? resolve(address.port)
          : reject(new Error('no port')),
      );
    });
  });
}
