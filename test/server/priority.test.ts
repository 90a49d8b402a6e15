/** Priorities and fairness keys of a tenant's executions, on a node with one slot. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutionMode, ExecutionStatus, Priority } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '1' });
  await server.register('count', 'wordcount/wordcount.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('eager', 'wordcount/wordcount.wasm', { priority: Priority.HIGH, fairnessKey: 'k' });
});

afterAll(() => server.stop());

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

async function queue(request: Request): Promise<string> {
  const asked = { ...request, executionMode: ExecutionMode.ASYNC } as Request;
  return (await server.functions.invokeFunction(asked)).executionId;
}

/** Holds the only slot while `invoke` queues others, and says in which order those ran, by their labels. */
async function orderOf(invoke: () => Promise<readonly string[]>): Promise<string[]> {
  const blocker = await queue({ task: 'loop' });
  const ids = await invoke();
  await server.functions.cancelExecution({ executionId: blocker });
  const results = await Promise.all(
    ids.map(async (executionId) => (await server.functions.waitExecution({ executionId })).result),
  );
  expect(results.every((result) => result?.status === ExecutionStatus.COMPLETED)).toBe(true);
  const started = (at: (typeof results)[number]): number =>
    Number(at?.startedAt?.seconds) * 1e9 + Number(at?.startedAt?.nanos);
  return results.sort((a, b) => started(a) - started(b)).map((result) => result?.labels.name ?? '');
}

const named = (name: string, request: Request = {}): Request =>
  ({ task: 'count', labels: { name }, ...request }) as Request;

describe('what waits', () => {
  it('runs by its priority, and first come first served within one', async () => {
    const order = await orderOf(async () => [
      await queue(named('low', { priority: Priority.LOW })),
      await queue(named('normal 1')),
      await queue(named('normal 2', { priority: Priority.NORMAL })),
      await queue(named('high', { priority: Priority.HIGH })),
      await queue(named('urgent', { priority: Priority.URGENT })),
    ]);
    expect(order.indexOf('urgent')).toBe(0);
    expect(order.indexOf('high')).toBeLessThan(order.indexOf('normal 2'));
    expect(order.indexOf('normal 1')).toBeLessThan(order.indexOf('normal 2'));
  });

  it('takes turns by fairness key', async () => {
    const order = await orderOf(async () => [
      await queue(named('a1', { fairnessKey: 'a' })),
      await queue(named('a2', { fairnessKey: 'a' })),
      await queue(named('a3', { fairnessKey: 'a' })),
      await queue(named('b1', { fairnessKey: 'b' })),
    ]);
    expect(order.indexOf('b1')).toBeLessThan(2);
    expect(order.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  });

  it('has what its task says, where its request says nothing else', async () => {
    const [own, asked] = [
      await server.functions.invokeFunction({ task: 'eager' }),
      await server.functions.invokeFunction({ task: 'eager', priority: Priority.LOW, fairnessKey: 'x' }),
    ];
    expect(own.result).toMatchObject({ priority: Priority.HIGH, fairnessKey: 'k' });
    expect(asked.result).toMatchObject({ priority: Priority.LOW, fairnessKey: 'x' });
    const plain = await server.functions.invokeFunction({ task: 'count' });
    expect(plain.result).toMatchObject({ priority: Priority.NORMAL, fairnessKey: '' });
  });

  it('says among whom it waits', async () => {
    const blocker = await queue({ task: 'loop' });
    const executionId = await queue({ task: 'count', priority: Priority.URGENT, fairnessKey: 'k' });
    const { details } = await server.nodes.explainExecution({ executionId });
    expect(details).toContain('it waits among those with priority urgent and fairness key "k"');
    expect(details).toContain("the administrator's token invoked it");
    await server.functions.suspendExecution({ executionId });
    const held = await server.nodes.explainExecution({ executionId });
    expect(held.details).toContain("the administrator's token asked for the suspend");
    for (const id of [executionId, blocker]) await server.functions.cancelExecution({ executionId: id });
  });
});

it.each([
  ['priority', { priority: 7 }, '7 is none; allowed are LOW (1), NORMAL (2), HIGH (3), URGENT (4)'],
  ['fairness_key', { fairnessKey: 'k'.repeat(257) }, '257'],
])('a %s that is none is refused, and named', async (field, request, words) => {
  const refused = await refusal(server.functions.invokeFunction({ task: 'count', ...request } as Request));
  expect(refused.code).toBe('INVALID_ARGUMENT');
  expect(refused.message).toContain(field);
  expect(refused.message).toContain(words);
});
