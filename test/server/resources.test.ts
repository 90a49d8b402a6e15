/** What attempts reserve of the memory and the processors of a node, and of what a tenant may have, as callers see it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { adminToken, example, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';
import { another, begin, restore, take } from './snapshots.ts';

const mebibyte = 1024 * 1024;
let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '8', guestMemory: String(256 * mebibyte) });
});

afterAll(() => server.stop());

type Definition = Parameters<LocalServer['register']>[2];
type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

const loop = (name: string, definition: object = {}) =>
  server.register(name, 'misbehaving/loop.wasm', definition as Definition);

async function queue(task: string): Promise<string> {
  const asked = { task, executionMode: ExecutionMode.ASYNC } as Request;
  return (await server.functions.invokeFunction(asked)).executionId;
}

const stateOf = async (executionId: string) =>
  (await server.functions.getExecutionStatus({ executionId })).result?.state;

const end = async (...ids: readonly string[]) => {
  for (const executionId of ids) await server.functions.cancelExecution({ executionId });
  await expect.poll(async () => (await server.nodes.getNode({})).node?.running).toBe(0);
};

describe('a node with --guest-memory', () => {
  it('holds what does not fit beside what runs, and says so in explain, queue and status', async () => {
    await loop('half');
    const running = [await queue('half'), await queue('half')];
    const held = await queue('half');
    const answer = await server.nodes.explainExecution({ executionId: held });
    expect(answer.gate).toMatchObject({ kind: 'resources', limit: BigInt(256 * mebibyte) });
    expect(answer.summary).toContain('it reserves 128 MiB of 256 MiB of memory');
    expect(answer.heldBy.toSorted()).toEqual(running.toSorted());
    const { lines } = await server.nodes.getQueue({});
    expect(lines[0]?.classes[0]).toMatchObject({
      gate: { kind: 'resources' },
      summary: expect.stringContaining('too little memory or processor is free'),
    });
    const { node } = await server.nodes.getNode({});
    expect(node?.resources).toMatchObject({
      memoryReserved: BigInt(256 * mebibyte),
      memoryTotal: BigInt(256 * mebibyte),
    });
    expect(node?.resources?.processorsTotal).toBeUndefined();
    await server.functions.cancelExecution({ executionId: running[0] ?? '' });
    await expect.poll(() => stateOf(held)).toBe('running.attempting');
    await end(running[1] ?? '', held);
  });

  it('refuses a task that could never fit, naming field, value and flag', async () => {
    const refused = await refusal(loop('large', { limits: { memory: BigInt(512 * mebibyte) } }));
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(refused.message).toContain(
      `definition.limits.memory: is ${512 * mebibyte}; this node allows at most ${256 * mebibyte} (--guest-memory)`,
    );
  });
});

describe('a tenant with a quota of memory', () => {
  it('has no more running than that, whatever the node has, and what can never fit is refused', async () => {
    const quotas = server.connection.service(QuotaService);
    const shop = connect(server.grpcAddress, { token: adminToken(server.dataDir), tenant: 'shop' });
    const functions = shop.service(FunctionService);
    const artifact = { source: { case: 'content' as const, value: await example('misbehaving/loop.wasm') } };
    const small = { limits: { memory: BigInt(32 * mebibyte) } };
    for (const [name, more] of [
      ['small', small],
      ['usual', {}],
    ] as const) {
      const definition = { name, runtime: RuntimeKind.WASM, artifact, ...more };
      await shop.service(TaskService).registerTask({ definition });
    }
    await quotas.setQuota({ tenant: 'shop', quota: { memoryBytes: BigInt(64 * mebibyte) } });
    const invoke = (task: string) =>
      functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC } as Request);
    const running = [await invoke('small'), await invoke('small')];
    const { executionId } = await invoke('small');
    const explained = await shop.service(NodeService).explainExecution({ executionId });
    expect(explained.gate).toMatchObject({ kind: 'quota', value: 'shop', limit: BigInt(64 * mebibyte) });
    expect(explained.summary).toContain('it reserves 32 MiB of 64 MiB');
    const { quota } = await quotas.getQuota({ tenant: 'shop' });
    expect(quota).toMatchObject({ running: 2, pending: 1, memoryBytes: BigInt(64 * mebibyte) });
    const refused = await refusal(invoke('usual'));
    expect(refused).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'NEVER_FITS' });
    expect(refused.message).toContain(
      'limits.memory of the task is 128 MiB, and the quota of shop allows 64 MiB',
    );
    await quotas.setQuota({ tenant: 'shop', quota: {} });
    await expect.poll(async () => (await quotas.getQuota({ tenant: 'shop' })).quota?.running).toBe(3);
    for (const each of [...running, { executionId }]) {
      await functions.cancelExecution({ executionId: each.executionId });
    }
    shop.close();
  });
});

describe('a tenant with a quota of what it keeps', () => {
  it('is refused new executions when it is full, and has them again when some are deleted', async () => {
    const quotas = server.connection.service(QuotaService);
    const lab = connect(server.grpcAddress, { token: adminToken(server.dataDir), tenant: 'lab' });
    const functions = lab.service(FunctionService);
    const artifact = { source: { case: 'content' as const, value: await example('misbehaving/cat.wasm') } };
    const definition = { name: 'cat', runtime: RuntimeKind.WASM, artifact };
    await lab.service(TaskService).registerTask({ definition });
    const invoke = () => functions.invokeFunction({ task: 'cat', input: new Uint8Array(200_000) } as Request);
    const { executionId } = await invoke();
    const stored = async (limit: number) => {
      const { quota } = await quotas.setQuota({ tenant: 'lab', quota: { storedBytes: BigInt(limit) } });
      return Number(quota?.storedBytes);
    };
    await stored(100_000);
    await expect.poll(() => stored(100_000)).toBeGreaterThan(400_000);
    const refused = await refusal(invoke());
    expect(refused).toMatchObject({
      ...{ code: 'RESOURCE_EXHAUSTED', reason: 'TENANT_STORAGE_FULL', quota: 'tenant-stored-bytes' },
      retryAfterMs: 30_000,
    });
    expect(refused.message).toMatch(
      /the quota of lab is full: it keeps about [\d.]+ [KM]iB, allowed are 97\.7 KiB/,
    );
    await functions.deleteExecution({ executionId });
    await expect.poll(() => stored(100_000)).toBeLessThan(100_000);
    expect((await invoke()).success).toBe(true);
    // What comes counts before it is looked at anew.
    expect(await stored(100_000)).toBeGreaterThan(400_000);
    await quotas.setQuota({ tenant: 'lab', quota: {} });
    expect((await invoke()).success).toBe(true);
    lab.close();
  });
});

it('counts what is restored by the limits of its task here, whatever its snapshot says', async () => {
  const source = await another({ slots: '4' });
  await source.register('loop', 'misbehaving/loop.wasm');
  const waiting = await begin(source, { task: 'loop', startAfter: { seconds: 1n } });
  const { document } = await take(source, waiting, { detach: true });
  const target = await another({ slots: '4', guestMemory: String(128 * mebibyte) });
  await target.register('loop', 'misbehaving/loop.wasm');
  const running = await begin(target, { task: 'loop' });
  await restore(target, document);
  const explain = () => target.nodes.explainExecution({ executionId: waiting });
  await expect.poll(async () => (await explain()).gate?.kind).toBe('resources');
  expect((await explain()).heldBy).toEqual([running]);
  for (const executionId of [waiting, running]) await target.functions.cancelExecution({ executionId });
});
