/** The compose file: each of its files is there, and each of its volumes is declared. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { resolveConfig } from '../../src/config.ts';

type Environment = Readonly<Record<string, string>>;

const folder = fileURLToPath(new URL('../../packaging/compose/', import.meta.url));

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
}

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
}

async function read<T>(path: string): Promise<T> {
  return parse(await readFile(join(folder, path), 'utf8')) as T;
}

test('every file that a service is given is there, but for the token that the reader makes', async () => {
  const { services, volumes } = await read<Compose>('compose.yaml');
  const sources = Object.values(services).flatMap((service) =>
    service.volumes.map((entry) => entry.split(':')[0] ?? ''),
  );
  const files = sources.filter((source) => source.startsWith('.'));
  expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual(['./spear-token']);
  expect(sources.filter((source) => !source.startsWith('.')).sort()).toEqual(Object.keys(volumes).sort());
});

test('nothing listens beyond loopback', async () => {
  const { services } = await read<Compose>('compose.yaml');
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports.length).toBeGreaterThan(0);
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});

test('the image is of this version, and the token is where Prometheus reads it', async () => {
  const { services } = await read<Compose>('compose.yaml');
  const { version } = await read<{ version: string }>('../../package.json');
  const prometheus = await read<{ scrape_configs: [{ authorization: { credentials_file: string } }] }>(
    '../../monitoring/prometheus.yaml',
  );
  expect(services.spear?.image).toBe(`spear:${version}`);
  const place = prometheus.scrape_configs[0].authorization.credentials_file;
  expect(services.prometheus?.volumes).toContain(`./spear-token:${place}:ro`);
});

test('the nodes of the cluster share a database and a secret, and are what the options allow', async () => {
  const { services, volumes } = parse(await readFile(join(folder, 'cluster.yaml'), 'utf8'), {
    merge: true,
  }) as Compose & { readonly services: Readonly<Record<string, { readonly environment: Environment }>> };
  const { postgres, ...nodes } = services;
  expect(Object.keys(nodes)).toEqual(['one', 'two', 'three']);
  const declared = Object.values(services).flatMap(({ volumes: entries }) =>
    entries.map((entry) => entry.split(':')[0] ?? ''),
  );
  expect(new Set(declared.filter((name) => !name.startsWith('.')))).toEqual(new Set(Object.keys(volumes)));
  expect(new Set(declared.filter((name) => name.startsWith('.')))).toEqual(
    new Set(['./db-password', './cluster-secret']),
  );
  const passwordFile = join(await mkdtemp(join(tmpdir(), 'spear-compose-')), 'password');
  onTestFinished(() => rm(dirname(passwordFile), { recursive: true, force: true }));
  await writeFile(passwordFile, 'secret');
  for (const [name, { environment, ports = [] }] of Object.entries(nodes)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    const config = resolveConfig(
      {},
      { ...environment, SPEAR_STORE_PASSWORD_FILE: passwordFile, HOME: folder },
    );
    expect(config).toMatchObject({
      nodeName: name,
      clusterAddress: `${name}:50052`,
      engine: { user: 'spear', password: 'secret', database: 'spear' },
    });
  }
  expect(postgres?.environment.POSTGRES_PASSWORD_FILE).toBe('/run/secrets/db-password');
  // Its socket answers before its database is made, and a slow disk takes longer for that than three looks.
  expect(postgres).toMatchObject({
    healthcheck: { test: expect.arrayContaining(['--host=127.0.0.1']), retries: 30 },
  });
});
