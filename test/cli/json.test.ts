import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalServer, startServer } from '../support/server.ts';
import { run } from './spear.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer();
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('noop', 'noop/noop.wasm', { instancePolicy: 2 });
});

afterAll(() => server.stop());

async function json(...args: string[]) {
  const { code, stdout } = await run([...args, '--json'], { address: server.grpcAddress });
  return { code, text: stdout.toString() };
}

test('invoke prints one document, with empty and false fields', async () => {
  const { code, text } = await json('invoke', 'exit', '--arg', '0');
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({
    success: true,
    statusEndpoint: '',
    estimatedCompletionMs: '0',
    joined: false,
    result: {
      mode: 'EXECUTION_MODE_SYNC',
      isAsync: false,
      isCompleted: true,
      output: Buffer.from('bye\n').toString('base64'),
      errorCode: 'ERROR_CODE_UNSPECIFIED',
      errorMessage: '',
      outputTruncated: false,
      exitCode: 0,
      metadata: {},
    },
  });
});

test('an invocation that outlasts its first call prints the same document as one that does not', async () => {
  await server.register('ticker', 'ticker/ticker.wasm');
  const slow = await json('invoke', 'ticker', '--arg', '3', '--arg', '300', '--metadata', 'a=b');
  const fast = await json('invoke', 'ticker', '--arg', '1', '--arg', '1', '--metadata', 'a=b');
  const [one, other] = [slow, fast].map(({ text }) => JSON.parse(text) as { result: object });
  expect(Object.keys(one ?? {})).toEqual(Object.keys(other ?? {}));
  expect(Object.keys(one?.result ?? {})).toEqual(Object.keys(other?.result ?? {}));
  expect(one).toMatchObject({
    success: true,
    message: 'completed',
    statusEndpoint: '',
    result: { metadata: { a: 'b' } },
  });
});

test('a failure keeps its exit code, and says which it is', async () => {
  const { code, text } = await json('invoke', 'exit');
  expect(code).toBe(7);
  expect(JSON.parse(text)).toMatchObject({
    success: false,
    result: { errorCode: 'ERROR_CODE_FUNCTION_EXIT', exitCode: 7 },
  });
});

test('streams print one event a line, and the last is the result', async () => {
  const streamed = await json('invoke', 'exit', '--mode', 'stream');
  expect(streamed.code).toBe(7);
  const events = streamed.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, index) => String(index + 1)));
  expect(events.at(0)).toMatchObject({ isFinal: false, transition: { from: '', eventType: 'admit' } });
  expect(events.at(-1)).toMatchObject({ isFinal: true, result: { exitCode: 7 } });
  const watched = await json('watch', String(events[0]?.executionId), '--from', '2');
  expect(watched.text.trimEnd().split('\n')).toHaveLength(events.length - 1);
});

test('async, status, wait, cancel and tasks print their response', async () => {
  const accepted = JSON.parse((await json('invoke', 'exit', '--mode', 'async')).text) as {
    executionId: string;
  };
  expect(accepted).toMatchObject({ success: true, statusEndpoint: `/status/${accepted.executionId}` });
  const waited = await json('wait', accepted.executionId);
  expect(waited.code).toBe(7);
  expect(JSON.parse(waited.text)).toMatchObject({ statusEndpoint: '', result: { exitCode: 7 } });
  expect(JSON.parse((await json('status', accepted.executionId)).text)).toMatchObject({
    result: { exitCode: 7 },
  });
  expect(JSON.parse((await json('cancel', accepted.executionId)).text)).toEqual({
    changed: false,
    status: 'EXECUTION_STATUS_FAILED',
  });
  expect(JSON.parse((await json('task', 'show', 'exit')).text)).toMatchObject({
    task: { definition: { name: 'exit' } },
  });
});

test('lists follow every page, newest first', async () => {
  const count = 1100;
  const invocations = Array.from({ length: count }, () =>
    server.functions.invokeFunction({ task: 'noop', functionName: 'noop' }),
  );
  await Promise.all(invocations);
  const { text } = await json('list', '--task', 'noop', '--status', 'completed');
  const { executions, nextPageToken } = JSON.parse(text) as {
    executions: { executionId: string }[];
    nextPageToken: string;
  };
  const ids = executions.map(({ executionId }) => executionId);
  expect(nextPageToken).toBe('');
  expect(new Set(ids).size).toBe(count);
  expect(ids).toEqual(ids.toSorted().toReversed());
  const table = await run(['list', '--task', 'noop'], { address: server.grpcAddress });
  expect(
    table.stdout
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0]),
  ).toEqual(ids);
});
