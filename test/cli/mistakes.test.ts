import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageVersion } from '../../src/version.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { sitDown } from './terminal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('wordcount', 'wordcount/wordcount.wasm');
  await server.register('calc', 'typed/typed.wasm');
});

afterAll(() => server.stop());

async function mistake(...args: string[]): Promise<{ readonly code: number; readonly line: string }> {
  const { err, out, ended } = sitDown(args, server.grpcAddress);
  const code = await ended;
  expect(out.text).toBe('');
  const lines = err.text.trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  return { code, line: lines[0] ?? '' };
}

describe('a command line with a mistake is refused in one line that says what was meant', () => {
  test.for<[string[], string]>([
    [['wacth', 'exec_1'], '"wacth" is not a command of spear; did you mean watch?'],
    [['nonsense', '--help'], '"nonsense" is not a command of spear; allowed are serve, task, '],
    [['help', 'nonsense'], '"nonsense" is not a command of spear; allowed are serve, task, '],
    [['task', 'shwo', '--help'], '"shwo" is not a command of spear task; did you mean show?'],
    [['--nonsense'], '--nonsense: is not a flag of spear; see spear --help'],
    [['list', '--taks', 'x'], '--taks: is not a flag of spear list; did you mean --task?'],
    [['invoke', 'x', '--tiemout=3s'], '--tiemout: is not a flag of spear invoke; did you mean --timeout?'],
    [['list', '--all'], '--all: is not a flag of spear list; did you mean --all-tenants?'],
    [['list', '--whole'], '--whole: is not a flag of spear list; see spear list --help'],
    [
      ['task', 'register', 'x', '--retry', '3'],
      'a task file can say it, as retry: spear task register --file',
    ],
    [['task', 'register', 'x', '--max-attempts', '3'], 'a task file can say it, as retry.max_attempts'],
    [['invoke', 'x', '--max-output-bytes', '3'], 'a task file can say it, as limits.max_output_bytes'],
    [['status'], 'ID: is missing; allowed is spear status [options] <id>'],
    [['status', 'a', 'b c'], '"b c": is too much; allowed is spear status [options] <id>'],
    [['invoke', 'x', '--timeout'], '--timeout: has no value; allowed is --timeout <duration>'],
    [['invoke', 'x', '--mode', 'later'], '--mode: is "later"; allowed are sync, async, stream'],
    [['list', '--since', 'tomorrow'], '--since: is "tomorrow"; allowed is a time such as '],
    [
      ['invoke', 'x', '--input', 'a', '--no-input'],
      '--input: stands beside --no-input; allowed is one of them',
    ],
    [
      ['list', '--since', '2026-02-01', '--until', '2026-01-01'],
      '--since: is 2026-02-01T00:00:00.000Z; allowed is a time before --until, 2026-01-01T00:00:00.000Z',
    ],
    [['restore', '-'], 'stdin: is a terminal; allowed is a file or a pipe'],
    [
      ['task', 'register', 'x', '--memory', '99999999TiB'],
      '--memory: is "99999999TiB"; allowed is at most 9007199254740991 bytes',
    ],
    [['list', '--limit', 'ten'], '--limit: is "ten"; allowed is a whole number'],
  ])('%j', async ([args, text]) => {
    const { code, line } = await mistake(...args);
    expect(line.startsWith('spear: ')).toBe(true);
    expect(line).toContain(text);
    expect(code).toBe(64);
  });
});

describe('what the server does not know, or refuses, is told in the words of the command', () => {
  test.for<[string[], number, string]>([
    [['invoke', 'wrdcount'], 127, 'no task "wrdcount"; did you mean "wordcount"?'],
    [['task', 'show', 'clac'], 127, 'no task "clac"; did you mean "calc"?'],
    [['list', '--task', 'worcount'], 127, 'no task "worcount"; did you mean "wordcount"?'],
    [['invoke', 'something-else'], 127, 'no task "something-else"'],
    [['invoke', 'calc', 'grete("Ada")'], 127, 'no function "grete": did you mean "greet"?'],
    [['invoke', 'calc', 'origin()'], 64, '--function: "origin" could be any of '],
    [['invoke', 'calc', '--function', 'joyn'], 127, 'no function "joyn": did you mean "join"?'],
    [['status', 'wordcount'], 64, 'ID: "wordcount" is not an execution id; allowed is exec_…'],
    [['wait', ''], 64, 'ID: is required'],
    [['task', 'show', ''], 64, 'TASK: is required'],
    [['invoke', 'wordcount', '--timeout', '20d'], 64, '--timeout: is 1728000000 ms'],
    [['invoke', 'wordcount', '--invocation-id', 'x'.repeat(300)], 64, '--invocation-id: has 300 bytes'],
    [['invoke', 'wordcount', '--env', 'A B=\0'], 64, '--env'],
    [['invoke', 'calc', '--function', 'add', '--param', 'a=1'], 64, '--param'],
    [['invoke', 'wordcount', '--param', 'a=1'], 64, '--param a: the default entry takes no parameters'],
    [['task', 'register', 'Not A Name', '--runtime', 'docker', '--artifact', 'i'], 64, 'NAME: "Not A Name"'],
  ])('%j', async ([args, code, text]) => {
    const told = await mistake(...args);
    expect(told.line).toContain(text);
    expect(told.code).toBe(code);
  });
});

test('a task that was just registered is among those that may be meant', async () => {
  await mistake('task', 'show', 'latestt');
  await server.register('latest', 'noop/noop.wasm');
  expect((await mistake('task', 'show', 'latestt')).line).toContain('did you mean "latest"?');
});

test('the version is a command, too', async () => {
  for (const word of ['version', '--version']) {
    const { out, ended } = sitDown([word], server.grpcAddress);
    expect(await ended).toBe(0);
    expect(out.text).toBe(`${packageVersion()}\n`);
  }
});

test('an event that no log has yet is told in the words of watch', async () => {
  const { executionId } = await server.functions.invokeFunction({ task: 'wordcount' });
  const { code, line } = await mistake('watch', executionId, '--from', '99');
  expect(line).toContain('--from: 99 is beyond the log');
  expect(code).toBe(64);
});

test("a server's HTTP address is told for what it is", async () => {
  const { code, line } = await mistake('list', '--address', server.httpAddress);
  expect(line).toBe(
    `spear: what listens at ${server.httpAddress} does not speak gRPC; --address is the server's gRPC address, not that of its page`,
  );
  expect(code).toBe(69);
});

test('a server that is not there is told with the command that would start it there', async () => {
  const { err, ended } = sitDown(['list'], '127.0.0.1:1');
  expect(await ended).toBe(69);
  expect(err.text).toContain('(spear serve --grpc-address 127.0.0.1:1)');
});
