import { describe, expect, test } from 'vitest';
import { ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { expectField } from './bad-input.ts';
import { collect } from './collect.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, take, untilIn } from './snapshots.ts';
import { cleanExit, dataFolder, spawn } from './spawned.ts';

withServer({ slots: '4' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm', { labels: { team: 'data', env: 'test' } });
  await server.register('plain', 'misbehaving/cat.wasm');
  await server.register('loop', 'misbehaving/loop.wasm', { labels: { team: 'data' } });
});

type Labels = Readonly<Record<string, string>>;

async function labelsOf(task: string, labels: Labels): Promise<Labels | undefined> {
  return (await server.functions.invokeFunction({ task, labels })).result?.labels;
}

describe("an execution's labels", () => {
  test("are the task's with the request's over them", async () => {
    expect(await labelsOf('cat', {})).toEqual({ env: 'test', team: 'data' });
    expect(await labelsOf('cat', { env: 'prod', 'x.org/note': '' })).toEqual({
      env: 'prod',
      team: 'data',
      'x.org/note': '',
    });
    expect(await labelsOf('plain', {})).toEqual({});
    expect(await labelsOf('plain', { a: 'b' })).toEqual({ a: 'b' });
  });

  test('stay as they were at admission when the task gets others', async () => {
    await server.register('changing', 'misbehaving/cat.wasm', { labels: { version: '1' } });
    const { executionId } = await server.functions.invokeFunction({ task: 'changing' });
    const { revision } = await server.register('changing', 'misbehaving/cat.wasm', {
      labels: { version: '2' },
    });
    expect(revision).toBe(2);
    const { result } = await server.functions.getExecutionStatus({ executionId });
    expect(result?.labels).toEqual({ version: '1' });
    expect(await labelsOf('changing', {})).toEqual({ version: '2' });
  });

  test('are those of the first request with an invocation id, which another with other labels joins', async () => {
    const invoke = (labels: Labels) =>
      server.functions.invokeFunction({ task: 'plain', invocationId: 'labelled-once', labels });
    const first = await invoke({ a: '1' });
    const second = await invoke({ a: '2' });
    expect(second).toMatchObject({
      joined: true,
      executionId: first.executionId,
      result: { labels: { a: '1' } },
    });
  });

  test('are in the result of its log', async () => {
    const { executionId } = await server.functions.invokeFunction({ task: 'cat', labels: { in: 'log' } });
    const events = await collect(server.functions.watchExecution({ executionId }));
    const last = events.at(-1)?.event;
    expect(last?.case === 'result' && last.value.labels).toEqual({ env: 'test', in: 'log', team: 'data' });
  });

  test('go with it in a snapshot, and are listed by where it is restored', async () => {
    const executionId = await begin(server, { task: 'loop', labels: { moved: 'yes' } });
    await untilIn(server, executionId, 'running.attempting');
    const { document } = await take(server, executionId, { detach: true, includeArtifact: true });
    const target = await another();
    const answer = await restore(target, document);
    expect(answer.result?.labels).toEqual({ moved: 'yes', team: 'data' });
    const listed = await target.functions.listExecutions({ labels: { moved: 'yes' } });
    expect(listed.executions.map((each) => each.executionId)).toEqual([executionId]);
    const { result } = await target.functions.getExecutionStatus({ executionId });
    expect(result?.labels).toEqual({ moved: 'yes', team: 'data' });
    await target.functions.cancelExecution({ executionId });
  });

  test('are there after a restart of the node, of what has ended and of what goes on', async () => {
    const dataDir = await dataFolder();
    const one = await spawn(dataDir);
    await one.register('cat', 'misbehaving/cat.wasm', { labels: { team: 'data' } });
    const ended = await one.functions.invokeFunction({ task: 'cat', labels: { n: '1' } });
    const waiting = await one.functions.invokeFunction({
      task: 'cat',
      labels: { n: '2' },
      executionMode: ExecutionMode.ASYNC,
      startAfter: { seconds: 600n },
    });
    expect(await one.end('SIGTERM')).toEqual(cleanExit);
    const two = await spawn(dataDir);
    const listed = async (labels: Labels) =>
      (await two.functions.listExecutions({ labels })).executions.map((each) => each.executionId);
    expect(await listed({ team: 'data' })).toEqual([waiting.executionId, ended.executionId]);
    expect(await listed({ n: '2' })).toEqual([waiting.executionId]);
    await two.functions.cancelExecution({ executionId: waiting.executionId });
    const { result } = await two.functions.waitExecution({ executionId: waiting.executionId });
    expect(result).toMatchObject({ status: ExecutionStatus.CANCELLED, labels: { n: '2', team: 'data' } });
  });
});

test('executions are listed by all of the labels that are asked for, page by page', async () => {
  const ids: string[] = [];
  for (const n of ['1', '2', '3']) {
    const labels = { listed: 'yes', odd: String(Number(n) % 2) };
    ids.unshift((await server.functions.invokeFunction({ task: 'cat', labels })).executionId);
  }
  const list = async (labels: Labels, pageSize: number) => {
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await server.functions.listExecutions({ labels, pageSize, pageToken });
      found.push(...page.executions.map((each) => each.executionId));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found;
  };
  expect(await list({ listed: 'yes' }, 2)).toEqual(ids);
  expect(await list({ listed: 'yes', odd: '1' }, 1)).toEqual([ids[0], ids[2]]);
  expect(await list({ listed: '' }, 10)).toEqual([]);
});

test('tasks are listed by their labels', async () => {
  const names = async (labels: Labels) =>
    (await server.tasks.listTasks({ labels })).tasks.map(({ definition }) => definition?.name);
  expect(await names({ team: 'data' })).toEqual(['cat', 'loop']);
  expect(await names({ team: 'data', env: 'test' })).toEqual(['cat']);
  expect(await names({ team: 'other' })).toEqual([]);
});

test('a definition with the same labels in another order is the same revision', async () => {
  const one = await server.register('ordered', 'misbehaving/cat.wasm', { labels: { a: '1', b: '2' } });
  const two = await server.register('ordered', 'misbehaving/cat.wasm', { labels: { b: '2', a: '1' } });
  expect(two.revision).toBe(one.revision);
});

const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, '']));

test.each<[string, Labels, string, RegExp]>([
  ['an empty key', { '': 'x' }, 'labels.""', /is not a key; allowed is 1 to 63/],
  ['a key that ends with a dot', { 'a.': 'x' }, 'labels."a."', /letter or digit/],
  ['a key with two slashes', { 'a/b/c': 'x' }, 'labels."a/b/c"', /at most one \//],
  ['a key with a blank', { 'a b': 'x' }, 'labels."a b"', /is not a key/],
  ['a key that is too long', { ['k'.repeat(64)]: 'x' }, `labels."${'k'.repeat(64)}"`, /1 to 63/],
  ['a value with a line break', { a: 'x\n' }, 'labels.a', /without control characters/],
  ['a value that is too long', { a: 'é'.repeat(128) }, 'labels.a', /has 256 bytes; allowed are 255/],
  ['too many', many, 'labels', /has 33 entries; allowed are 32/],
])('labels with %s are refused wherever they are given', async (_name, labels, field, says) => {
  expectField(await refusal(server.functions.invokeFunction({ task: 'plain', labels })), field, says);
  expectField(await refusal(server.functions.listExecutions({ labels })), field, says);
  expectField(await refusal(server.tasks.listTasks({ labels })), field, says);
  const registered = server.register('bad', 'misbehaving/cat.wasm', { labels });
  expectField(await refusal(registered), `definition.${field}`, says);
});

test("more labels than are allowed with the task's are refused", async () => {
  const labels = Object.fromEntries(Object.entries(many).slice(0, 31));
  const refused = await refusal(server.functions.invokeFunction({ task: 'cat', labels }));
  expectField(refused, 'labels', /has 33 entries with the task's; allowed are 32/);
});

test('the longest keys and values that are allowed are taken', async () => {
  const labels = { [`${'a'.repeat(31)}/${'b'.repeat(31)}`]: 'v'.repeat(255), A: '' };
  expect(await labelsOf('plain', labels)).toEqual(labels);
});
