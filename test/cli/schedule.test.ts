/** What `spear schedule` says of what cannot be: in the words of its flags. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('typed', 'typed/typed.wasm');
});

afterAll(() => server.stop());

const spear = async (...args: readonly string[]) => {
  const ended = await run(['schedule', ...args], { address: server.grpcAddress });
  return { ...ended, line: () => errorLine(ended) };
};
const often = ['--every', '1h'];

describe('spear schedule create', () => {
  it.each<[flag: string, words: string, args: readonly string[]]>([
    ['NAME', 'allowed are 1 to 63', ['A b', '--task', 'count', ...often]],
    ['--cron', 'Invalid value for minute', ['a', '--task', 'count', '--cron', '61 * * * *']],
    ['--cron', 'no such instant ever comes', ['a', '--task', 'count', '--cron', '0 0 30 2 *']],
    ['--cron', 'either --cron or --every', ['a', '--task', 'count']],
    ['--timezone', 'IANA', ['a', '--task', 'count', '--cron', '@daily', '--timezone', 'Mars/Base']],
    ['--timezone', 'an interval has none', ['a', '--task', 'count', ...often, '--timezone', 'UTC']],
    ['--every', 'whole seconds', ['a', '--task', 'count', '--every', '1500ms']],
    ['--catch-up', '10 s or more', ['a', '--task', 'count', ...often, '--catch-up', '1s']],
    ['--task', 'is required', ['a', ...often]],
    [
      '--metadata',
      'allowed are 8192',
      ['a', '--task', 'count', ...often, '--metadata', `k=${'x'.repeat(9000)}`],
    ],
    [
      '--param',
      'no parameter "age"',
      ['a', '--task', 'typed', ...often, '--function', 'greet', '--param', 'name="a"', '--param', 'age=1'],
    ],
  ])('names %s, and says what is allowed: %s', async (flag, words, args) => {
    const ended = await spear('create', ...args);
    expect(ended.code).toBe(64);
    expect(ended.line()).toContain(words);
    expect(ended.line()).toMatch(new RegExp(`^spear: ${flag}[ :[]`));
    expect(ended.line()).not.toContain('definition');
  });

  it('names --input where that is too large', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'spear-schedule-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'large'), Buffer.alloc(1024 * 1024 + 1));
    const ended = await spear('create', 'a', '--task', 'count', ...often, '--input', join(folder, 'large'));
    expect([ended.code, ended.line()]).toEqual([
      64,
      'spear: --input: has 1048579 bytes with the parameters; allowed are 1048576',
    ]);
  });
});
