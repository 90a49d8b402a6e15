import { symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { launcher } from '../support/program-files.ts';
import { errorLine, run, start, temporaryFolder } from './spear.ts';

const freePorts = ['--grpc-address', '127.0.0.1:0', '--http-address', '127.0.0.1:0'];

/** A port of this machine that is taken until the test has finished. */
function takenPort(): Promise<number> {
  const server = createServer();
  onTestFinished(() => {
    server.close();
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
}

test('a server says when it is ready, and ends with 0 after a SIGTERM', async () => {
  const dataDir = await temporaryFolder();
  const server = start(['serve', ...freePorts, '--data-dir', dataDir, '--max-request-bytes', '16MiB']);
  await server.says('"ready"');
  server.process.kill('SIGTERM');
  const { code, stdout, stderr } = await server.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const ready = stdout
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ msg }) => msg === 'ready');
  expect(ready).toMatchObject(
    [{ grpcAddress: /:\d+$/, httpAddress: /:\d+$/, dataDir }].map(() => ({ dataDir })),
  );
});

test.each([
  ['the flag', ['--allow-ui-actions'], {}, '--allow-ui-actions'],
  ['the variable', [], { SPEAR_ALLOW_UI_ACTIONS: 'true' }, 'SPEAR_ALLOW_UI_ACTIONS'],
])(
  '%s of before that let the page act is said to do nothing, and the server starts',
  async (_what, flags, env, name) => {
    const dataDir = await temporaryFolder();
    const server = start(['serve', ...freePorts, '--data-dir', dataDir, ...flags], { env });
    await server.says('"ready"');
    server.process.kill('SIGTERM');
    const { code, stdout } = await server.ended;
    expect(code).toBe(0);
    expect(stdout.toString()).toContain(`${name} does nothing any more: a page may do what the role`);
  },
);

test.for(['--grpc-address', '--http-address'])('a taken port for %s is one line and 1', async (flag) => {
  const address = `127.0.0.1:${await takenPort()}`;
  const other = flag === '--grpc-address' ? '--http-address' : '--grpc-address';
  const dataDir = await temporaryFolder();
  const ended = await run(['serve', flag, address, other, '127.0.0.1:0', '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toMatch(/^spear: cannot listen on /);
  expect(errorLine(ended)).toContain(`${address}: something listens there already`);
  expect(errorLine(ended)).toContain(`${flag} names another address`);
});

test('a data folder of another server is one line and 1', async () => {
  const dataDir = await temporaryFolder();
  const first = start(['serve', ...freePorts, '--data-dir', dataDir]);
  await first.says('"ready"');
  const ended = await run(['serve', ...freePorts, '--data-dir', dataDir]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toBe(`spear: the data folder ${dataDir} is in use by another server`);
  first.process.kill('SIGTERM');
  expect((await first.ended).code).toBe(0);
});

test('a data folder that cannot be made is one line and 1', async () => {
  const file = join(await temporaryFolder(), 'file');
  await writeFile(file, '');
  const ended = await run(['serve', ...freePorts, '--data-dir', join(file, 'data')]);
  expect(ended.code).toBe(1);
  expect(errorLine(ended)).toMatch(/^spear: the data folder .* cannot be made or written/);
});

test.for<[string, string, string]>([
  ['--slots', 'many', 'a whole number'],
  ['--max-request-bytes', '1GiB', 'from 1024 to'],
  ['--max-request-bytes', 'large', '64MiB'],
  ['--grpc-address', '0.0.0.0:0', '--insecure-listen'],
  ['--log-level', 'loud', 'info'],
  ['--docker-host', 'docker.sock', 'unix:///PATH'],
  ['--max-artifact-bytes', 'large', '64MiB'],
  ['--max-artifact-bytes', '1TiB', 'from 1024 to'],
])('%s %s is 64, and what is allowed is said', async ([flag, value, allowed]) => {
  const ended = await run(['serve', flag, value]);
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toMatch(new RegExp(`^spear: ${flag}: `));
  expect(errorLine(ended)).toContain(allowed);
});

test('flags come from the environment too', async () => {
  const ended = await run(['serve'], { env: { SPEAR_SLOTS: 'many' } });
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toContain('--slots (from SPEAR_SLOTS): is "many"');
});

test('the launcher finds its package through links to links', async () => {
  const folder = await temporaryFolder();
  await symlink(launcher, join(folder, 'absolute'));
  await symlink(relative(dirname(join(folder, 'spear')), join(folder, 'absolute')), join(folder, 'spear'));
  const { code, stdout } = await run(['--version'], { program: join(folder, 'spear'), cwd: '/' });
  expect(code).toBe(0);
  expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
});
