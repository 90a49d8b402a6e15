import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, start, temporaryFolder } from './spear.ts';

const mebibyte = 1024 * 1024;
let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await Promise.all([
    server.register('cat', 'misbehaving/cat.wasm'),
    server.register('flood', 'misbehaving/flood.wasm'),
    server.register('mix', 'misbehaving/stderr-mix.wasm'),
    server.register('env', 'misbehaving/env.wasm', {
      args: ['first'],
      environment: { A: 'task', B: 'task' },
    }),
    server.register('exit', 'misbehaving/exit.wasm'),
    server.register('calc', 'typed/typed.wasm'),
  ]);
});

afterAll(() => server.stop());

const spear = (args: string[], input?: Uint8Array) =>
  run(args, { address: server.grpcAddress, ...(input !== undefined && { input }) });

describe('stdin and stdout', () => {
  test('are raw bytes, from a file or a pipe', async () => {
    const bytes = randomBytes(70_000);
    const file = join(await temporaryFolder(), 'input');
    await writeFile(file, bytes);
    for (const mode of ['sync', 'stream']) {
      expect(
        (await spear(['invoke', 'cat', '--mode', mode, '--input', '-'], bytes)).stdout.equals(bytes),
      ).toBe(true);
      expect((await spear(['invoke', 'cat', '--mode', mode, '--input', file])).stdout.equals(bytes)).toBe(
        true,
      );
    }
  });

  test.for(['sync', 'stream'])('are complete beyond what a response carries, in %s mode', async (mode) => {
    const bytes = randomBytes(5 * mebibyte);
    const { code, stdout } = await spear(['invoke', 'cat', '--mode', mode, '--input', '-'], bytes);
    expect(code).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
  });

  test('are complete for whoever waits or watches later', async () => {
    const bytes = randomBytes(4 * mebibyte);
    const { executionId } = await server.functions.invokeFunction({
      task: 'cat',
      input: bytes,
      executionMode: ExecutionMode.ASYNC,
    });
    expect((await spear(['wait', executionId])).stdout.equals(bytes)).toBe(true);
    expect((await spear(['watch', executionId])).stdout.equals(bytes)).toBe(true);
  });

  test('keep the streams apart', async () => {
    const { stdout, stderr } = await spear(['invoke', 'mix', '--arg', '2']);
    const streamed = await spear(['invoke', 'mix', '--arg', '2', '--mode', 'stream']);
    expect(streamed.stdout).toEqual(stdout);
    expect(streamed.stderr).toBe(stderr);
    expect(stdout.toString().split('\n')).toHaveLength(3);
    expect(stderr.split('\n')).toHaveLength(3);
  });

  test('end quietly where the reader goes away', async () => {
    for (const mode of ['sync', 'stream']) {
      const args = ['invoke', 'flood', '--arg', String(20 * mebibyte), '--mode', mode];
      const running = start(args, { address: server.grpcAddress });
      running.process.stdout.once('data', () => running.process.stdout.destroy());
      const { code, stderr } = await running.ended;
      expect({ code, stderr }).toEqual({ code: 141, stderr: '' });
    }
  });

  test('are kept where the function fails', async () => {
    const { stdout, stderr } = await spear(['invoke', 'exit']);
    expect(stdout.toString()).toBe('bye\n');
    expect(stderr).toMatch(/^leaving\nspear: exec_\w+ failed: FUNCTION_EXIT: .*7\n$/);
  });
});

describe('an input file', () => {
  test.for<[string, string]>([
    ['/no/such/file', 'there is no such file'],
    ['/', 'is a folder'],
    ['/dev/zero', 'in one request'],
  ])('%s is refused before anything is sent', async ([path, why]) => {
    const ended = await run(['invoke', 'cat', '--input', path, '--address', '127.0.0.1:1']);
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toMatch(/^spear: --input: /);
    expect(errorLine(ended)).toContain(why);
  });
});

test('arguments and environment come after, and over, the ones of the task', async () => {
  const { stdout } = await spear(['invoke', 'env', '--arg', 'second', '--env', 'B=call', '--env', 'C=x=y']);
  const text = stdout.toString();
  expect(text.indexOf('first')).toBeLessThan(text.indexOf('second'));
  for (const variable of ['A=task', 'B=call', 'C=x=y']) expect(text).toContain(variable);
});

describe('a typed call', () => {
  test.for<[string, string]>([
    ['add(1, 2)', '3'],
    ['ping()', '"pong"'],
    ['translate({x: 1.5, y: 2}, (10, 20))', '{"x":11.5,"y":22}'],
    ['area(rectangle((3, 4)))', '12'],
    ['echo-u64(18446744073709551615)', '"18446744073709551615"'],
    ['older({full-name: "Ada", tags: ["a"]})', '{"full-name":"Ada","age":null,"tags":["a"]}'],
  ])('in WAVE: %s', async ([call, value]) => {
    const { code, stdout, stderr } = await spear(['invoke', 'calc', call]);
    expect(stdout.toString(), stderr).toBe(`${value}\n`);
    expect(code).toBe(0);
  });

  test('by parameters', async () => {
    const args = [
      'invoke',
      'calc',
      '--function',
      'join',
      '--param',
      'words=["a","b"]',
      '--param',
      'separator="="',
    ];
    expect((await spear(args)).stdout.toString()).toBe('"a=b"\n');
    expect((await spear([...args, '--mode', 'stream'])).stdout.toString()).toBe('"a=b"\n');
  });

  test('prints the error side of its result, too', async () => {
    const { code, stdout } = await spear(['invoke', 'calc', 'divide(1, 0)']);
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '"division by zero"\n' });
  });

  test('takes no --param beside a CALL', async () => {
    const ended = await spear(['invoke', 'calc', 'add(1, 2)', '--param', 'a=1']);
    expect(ended.code).toBe(64);
    expect(errorLine(ended)).toContain('--function and --param');
  });
});

test('async mode prints the id alone', async () => {
  const { code, stdout, stderr } = await spear(['invoke', 'exit', '--mode', 'async']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.toString()).toMatch(/^exec_\w+\n$/);
  expect((await spear(['wait', stdout.toString().trim()])).code).toBe(7);
});
