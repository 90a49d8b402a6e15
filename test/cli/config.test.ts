import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { errorLine, run, start, temporaryFolder } from './spear.ts';

interface Shown {
  readonly options: readonly {
    readonly option: string;
    readonly value: string;
    readonly from: string;
    readonly place?: string;
  }[];
}

test('a server takes its options from the file that SPEAR_CONFIG names', async () => {
  const folder = await temporaryFolder();
  const config = join(folder, 'spear.yaml');
  await writeFile(
    config,
    'grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\ndata_dir: data\nslots: 3\nallow_ui_actions: true\n',
  );
  const server = start(['serve', '--queue-limit', '7'], { env: { SPEAR_CONFIG: config } });
  await server.says('"ready"');
  server.process.kill('SIGTERM');
  const { code, stdout } = await server.ended;
  expect(code).toBe(0);
  expect(stdout.toString()).toContain(`"dataDir":"${join(folder, 'data')}","slots":3,"queueLimit":7`);
  expect(stdout.toString()).toContain('allow_ui_actions in');
});

test('config check says that a file is good, or what is wrong with it', async () => {
  const config = join(await temporaryFolder(), 'spear.yaml');
  await writeFile(config, 'slots: 3\nretain_for: 7d\n');
  // What this environment says is of no matter for a file.
  const good = await run(['config', 'check', config], { env: { SPEAR_SLOTS: 'many' } });
  expect([good.code, good.stdout.toString()]).toEqual([0, `${config} is good: 2 options\n`]);
  await writeFile(config, 'slots: 3\nretain_four: 7d\n');
  const bad = await run(['config', 'check', config]);
  expect(bad.code).toBe(64);
  expect(errorLine(bad)).toBe(`spear: ${config}:2: retain_four: is not known; did you mean retain_for?`);
});

const command = fileURLToPath(new URL('../../bin/spear', import.meta.url));

test('config check takes what a shell hands over, and waits for no other pipe', async () => {
  const folder = await temporaryFolder();
  const pipe = join(folder, 'pipe');
  const script = `mkfifo ${pipe}; "$0" config check <(echo 'slots: 3') && "$0" config check ${pipe}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, command], { encoding: 'utf8' });
  expect(stdout).toMatch(/^\/dev\/fd\/\d+ is good: 1 option\n$/);
  expect(stderr).toContain('it is a pipe; allowed is a file');
  expect(status).toBe(64);
});

test('config show says of each option what it is and where that is from', async () => {
  const config = join(await temporaryFolder(), 'spear.yaml');
  await writeFile(config, 'slots: 3\nretain_for: 7d\n');
  const args = ['config', 'show', '--config', config, '--drain-ms', '5', '--json'];
  const { code, stdout } = await run(args, { env: { SPEAR_QUEUE_LIMIT: '9' } });
  expect(code).toBe(0);
  const { options } = JSON.parse(stdout.toString()) as Shown;
  expect(options).toEqual(
    expect.arrayContaining([
      { option: 'slots', value: '3', from: 'file', place: `${config}:1` },
      { option: 'retain_for', value: '7d', from: 'file', place: `${config}:2` },
      { option: 'drain_ms', value: '5', from: 'flag', place: '--drain-ms' },
      { option: 'queue_limit', value: '9', from: 'environment', place: 'SPEAR_QUEUE_LIMIT' },
      { option: 'max_request_bytes', value: '8MiB', from: 'default' },
      { option: 'guest_memory', value: 'not counted', from: 'default' },
    ]),
  );
});

test('config schema prints the schema that the package has', async () => {
  const { stdout } = await run(['config', 'schema']);
  const path = fileURLToPath(new URL('../../schema/config.schema.json', import.meta.url));
  expect(stdout.toString()).toBe(await readFile(path, 'utf8'));
});

test('SIGHUP reads the level of the log from the file again, and says what waits for the next start', async () => {
  const folder = await temporaryFolder();
  const config = join(folder, 'spear.yaml');
  const kept = 'grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\ndata_dir: data\n';
  await writeFile(config, kept);
  const server = start(['serve', '--config', config]);
  await server.says('"ready"');
  await writeFile(config, `${kept}log_level: loud\n`);
  server.process.kill('SIGHUP');
  await server.says('log_level: is \\"loud\\"');
  await writeFile(config, `${kept}log_level: debug\nslots: 3\n`);
  server.process.kill('SIGHUP');
  await server.says('"options":["slots"]');
  server.process.kill('SIGTERM');
  const { code, stdout } = await server.ended;
  expect(code).toBe(0);
  expect(stdout.toString()).toContain('"level":"debug","format":"json","changed":["log_level"]');
});

test('a log that is pretty where it is asked for is no JSON', async () => {
  const folder = await temporaryFolder();
  const ports = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];
  const server = start(['serve', ...ports, '--data-dir', join(folder, 'data'), '--log-format', 'pretty']);
  await server.says(' info: ready (grpcAddress');
  server.process.kill('SIGTERM');
  expect((await server.ended).code).toBe(0);
});
