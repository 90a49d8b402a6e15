/** The compose file: each of its files is there, and each of its volumes is declared. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

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
