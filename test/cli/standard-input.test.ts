import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { inheritedEnvironment } from '../support/environment.ts';
import { launcher } from '../support/program-files.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, start, temporaryFolder } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('calc', 'typed/typed.wasm');
});

afterAll(() => server.stop());

/** A command with a standard input that is left open. */
function startOpen(args: readonly string[]) {
  const child = spawn(launcher, args, {
    env: { ...inheritedEnvironment(), SPEAR_ADDRESS: server.grpcAddress },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test.for(['sync', 'stream'])('what is piped in is what the function reads, in %s mode', async (mode) => {
  const input = Buffer.from('a line\nand one without an end');
  const { code, stdout, stderr } = await run(['invoke', 'cat', '--mode', mode], {
    address: server.grpcAddress,
    input,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toEqual(input);
});

test('nothing at all is read where standard input is empty, or left out, or a file is named', async () => {
  const address = server.grpcAddress;
  const file = join(await temporaryFolder(), 'input');
  await writeFile(file, 'of the file');
  const input = Buffer.from('of the pipe');
  expect((await run(['invoke', 'cat'], { address })).stdout.toString()).toBe('');
  expect((await run(['invoke', 'cat', '--no-input'], { address, input })).stdout.toString()).toBe('');
  const named = await run(['invoke', 'cat', '--input', file], { address, input });
  expect(named.stdout.toString()).toBe('of the file');
});

test('a folder is no standard input, and is not taken for an empty one', async () => {
  const folder = await open(await temporaryFolder());
  onTestFinished(() => folder.close());
  const child = spawn(launcher, ['invoke', 'cat'], {
    env: { ...inheritedEnvironment(), SPEAR_ADDRESS: server.grpcAddress },
    stdio: [folder.fd, 'pipe', 'pipe'],
  });
  if (child.stderr === null) throw new Error('no pipe');
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  expect(said.toString()).toBe('spear: --input: standard input is a folder; allowed is a file or a pipe\n');
  expect(await once(child, 'close')).toEqual([64, null]);
});

test('a standard input that never ends is said to be read, and ends with what comes', async () => {
  const child = startOpen(['invoke', 'cat']);
  const [said] = (await once(child.stderr, 'data')) as [Buffer];
  expect(said.toString()).toBe('spear: reading standard input to its end; --no-input leaves it out\n');
  child.stdin.end('late');
  const [printed] = (await once(child.stdout, 'data')) as [Buffer];
  expect(printed.toString()).toBe('late');
});

test('a typed call, and one that wants no input, leave an open standard input alone', async () => {
  for (const args of [
    ['calc', 'add(1, 2)'],
    ['calc', '--function', 'ping'],
    ['cat', '--no-input'],
  ]) {
    const child = startOpen(['invoke', ...args]);
    const [code] = (await once(child, 'close')) as [number];
    expect(code).toBe(0);
  }
});

test('a standard input that cannot be read is told as such', async () => {
  const child = start(['-c', `exec ${launcher} invoke cat 0> /dev/null`], {
    program: '/bin/sh',
    address: server.grpcAddress,
  });
  const ended = await child.ended;
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toMatch(/^spear: --input: cannot read standard input: E/);
});
