/** Results that are kept for equal calls, as callers say and see them. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CacheUse, DryRunVerdict, ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy, RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ allowHostAccess: true });
  await server.register('count', 'wordcount/wordcount.wasm', { cache });
  await server.register('echo', 'noop/noop.wasm', { cache, instancePolicy: InstancePolicy.REUSED });
});

afterAll(() => server.stop());

const cache = { ttl: durationFromMs(60_000) };

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

const invoke = (request: object) => server.functions.invokeFunction(request as Request);
const words = (text: string) => ({ task: 'count', input: Buffer.from(text) });
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

describe('a call whose result is there', () => {
  it('has it in every mode, and says whose it is', async () => {
    const first = await invoke(words('one two'));
    expect(first.result).toMatchObject({ cacheUse: CacheUse.MISS, cachedFromExecutionId: '', attempt: 1 });

    const sync = await invoke(words('one two'));
    expect(sync).toMatchObject({ success: true, instanceId: '' });
    expect(sync.executionId).not.toBe(first.executionId);
    expect(sync.result).toMatchObject({
      cacheUse: CacheUse.HIT,
      cachedFromExecutionId: first.executionId,
      cachedAt: first.result?.completedAt,
      attempt: 0,
      exitCode: 0,
      output: first.result?.output,
    });

    const { executionId } = await invoke({ ...words('one two'), executionMode: ExecutionMode.ASYNC });
    const later = await server.functions.waitExecution({ executionId });
    expect(text(later.result?.output)).toBe(text(first.result?.output));

    const events = await collect(server.functions.streamFunction(words('one two') as Request));
    expect(events.map(({ event }) => event.case)).toEqual(['transition', 'chunk', 'result']);
    expect(events.at(-1)?.event.value).toMatchObject({ cachedFromExecutionId: first.executionId });
  });

  it('has the value of a typed function', async () => {
    const call = { task: 'echo', functionName: 'echo', parameters: { n: 7 } };
    const [first, second] = [await invoke(typed(call)), await invoke(typed(call))];
    expect(second.result).toMatchObject({ cacheUse: CacheUse.HIT, contentType: 'application/json' });
    expect(text(second.result?.output)).toBe('7');
    expect(second.result?.cachedFromExecutionId).toBe(first.executionId);
  });

  it('runs with bypass_cache, and what it computed is there from then on', async () => {
    await invoke(words('three'));
    const anew = await invoke({ ...words('three'), bypassCache: true });
    expect(anew.result).toMatchObject({ cacheUse: CacheUse.BYPASS, attempt: 1 });
    expect((await invoke(words('three'))).result?.cachedFromExecutionId).toBe(anew.executionId);
  });

  it('runs anew once the origin is deleted, or the task has another revision', async () => {
    const first = await invoke(words('four'));
    await server.functions.deleteExecution({ executionId: first.executionId });
    expect((await invoke(words('four'))).result?.cacheUse).toBe(CacheUse.MISS);
    await server.tasks.updateTask({
      task: 'count',
      definition: { labels: { a: 'b' } },
      updateMask: { paths: ['labels'] },
    });
    expect((await invoke(words('four'))).result?.cacheUse).toBe(CacheUse.MISS);
  });

  it('is told by a dry run and by explain', async () => {
    const first = await invoke(words('five'));
    const { dryRun } = await invoke({ ...words('five'), dryRun: true });
    expect(dryRun).toMatchObject({
      verdict: DryRunVerdict.CACHED,
      cachedFromExecutionId: first.executionId,
    });
    const { executionId } = await invoke(words('five'));
    const { summary } = await server.nodes.explainExecution({ executionId });
    expect(summary).toBe(`It completed with the result of ${first.executionId} (cache).`);
  });

  it('says so over HTTP, with its age, and Cache-Control asks for a run', async () => {
    const post = async (headers: Record<string, string> = {}) => {
      const url = `http://${server.httpAddress}/tasks/count`;
      const answer = await fetch(url, { method: 'POST', body: 'six seven', headers });
      return { headers: answer.headers, body: await answer.text() };
    };
    const first = await post();
    expect(first.headers.get('spear-cache')).toBe('MISS');
    expect(first.headers.get('age')).toBeNull();
    const second = await post();
    expect(second.headers.get('spear-cache')).toBe('HIT');
    expect(second.headers.get('age')).toMatch(/^\d+$/);
    expect(second.headers.get('spear-cached-from')).toBe(first.headers.get('spear-execution-id'));
    expect(second.body).toBe(first.body);
    const third = await post({ 'cache-control': 'no-cache' });
    expect(third.headers.get('spear-cache')).toBe('BYPASS');
  });
});

describe('a task with a cache', () => {
  it('says what it saved', async () => {
    await invoke(words('eight'));
    await invoke(words('eight'));
    const { task } = await server.tasks.getTask({ task: 'count' });
    expect(task?.cacheSavings?.hits).toBeGreaterThan(0n);
    expect(task?.cacheSavings?.entries).toBeGreaterThan(0n);
    const headers = { authorization: `Bearer ${adminToken(server.dataDir)}` };
    const metrics = await (await fetch(`http://${server.httpAddress}/metrics`, { headers })).text();
    expect(metrics).toMatch(/^spear_cache_executions_total\{use="hit"\} [1-9]/m);
    expect(metrics).toMatch(/^spear_cache_saved_seconds_total [0-9.e-]+$/m);
  });

  it.each([
    ['the network', { allowNetwork: true }],
    ['host folders', { preopens: { '/data': '/srv' } }],
    ['secrets', { secrets: { TOKEN: 'env:token' } }],
  ])('is refused where it reaches %s, unless it insists', async (what, definition) => {
    const register = (policy: object) =>
      server.register('reaches', 'noop/noop.wasm', { ...definition, cache: policy } as Definition);
    expect(await refusal(register(cache))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(
        `definition.cache: is refused, as the task may read what no key of a call has (${what})`,
      ),
    });
    expect((await register({ ...cache, insist: true })).definition?.cache).toMatchObject({ insist: true });
  });

  it('gets one by an update, under the same rules, and loses it', async () => {
    const { taskId } = await server.register('later', 'noop/noop.wasm', { allowNetwork: true });
    const update = (policy: object | undefined) =>
      server.tasks.updateTask({
        task: taskId,
        definition: policy === undefined ? {} : { cache: policy },
        updateMask: { paths: ['cache'] },
      } as Parameters<LocalServer['tasks']['updateTask']>[0]);
    expect(await refusal(update(cache))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((await update({ ...cache, insist: true })).task?.definition?.cache?.insist).toBe(true);
    expect((await update(undefined)).task?.definition?.cache).toBeUndefined();
  });

  it.each([
    ['ttl', { ttl: durationFromMs(10) }],
    ['ttl', {}],
    ['max_bytes', { ...cache, maxBytes: 2n ** 40n }],
  ])('is refused with a bad %s', async (field, policy) => {
    const refused = await refusal(server.register('bad', 'noop/noop.wasm', { cache: policy } as Definition));
    expect(refused).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`definition.cache.${field}`),
    });
  });
});

it('computes what it would compute: a cached result equals a computed one, whatever the call is', async () => {
  await server.register('env', 'misbehaving/env.wasm', { cache, runtime: RuntimeKind.WASM });
  const values = ['', 'a', 'b', 'ab', '\n', '{}'];
  const calls = values.flatMap((a) => values.map((b) => ({ task: 'env', args: [a], environment: { A: b } })));
  const outputs = async (more: object) => {
    const found: string[] = [];
    for (const each of calls) found.push(text((await invoke({ ...each, ...more })).result?.output));
    return found;
  };
  const computed = await outputs({});
  const cached = await outputs({});
  expect(cached).toEqual(computed);
  expect(await outputs({ bypassCache: true })).toEqual(computed);
});

type Definition = Parameters<LocalServer['register']>[2];

function typed({ parameters, ...rest }: { readonly parameters: Record<string, number> }) {
  return {
    ...rest,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, { kind: { case: 'numberValue', value } }]),
    ),
  };
}
