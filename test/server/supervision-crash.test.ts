/** Supervised batches across kill -9: what was decided happens once, and no member runs twice. */
import { expect, onTestFinished, test } from 'vitest';
import { SupervisionEndReason, SupervisionStrategy } from '../../src/server/gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { InterruptPolicy } from '../../src/server/gen/spearlet/task_pb.js';
import type { ChildServer } from '../support/server.ts';
import { dataFolder, spawn } from './spawned.ts';

async function batchOf({ batches }: ChildServer, batchId: string) {
  const { batch } = await batches.getBatch({ batchId });
  const { members } = await batches.listBatchMembers({ batchId });
  if (batch === undefined) throw new Error('no batch in the answer');
  return { ...batch, each: members };
}

test('after kill -9 members begin again where their task says so, without being counted', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir, { slots: '4' });
  await one.register('on', 'misbehaving/loop.wasm');
  await one.register('once', 'misbehaving/loop.wasm', { onInterrupt: InterruptPolicy.FAIL });
  const { batch, executionIds } = await one.batches.invokeBatch({
    members: [{ invocation: { task: 'on' } }, { invocation: { task: 'once' } }],
    supervision: { strategy: SupervisionStrategy.ONE_FOR_ONE, intensity: 0, backoff: { nanos: 1_000_000 } },
  });
  const batchId = batch?.batchId ?? '';
  await expect.poll(async () => (await batchOf(one, batchId)).running).toBe(2);
  await one.end('SIGKILL');

  const two = await spawn(dataDir, { slots: '4' });
  await expect
    .poll(async () => (await batchOf(two, batchId)).each.map(({ restarts }) => restarts))
    .toEqual([0, 1]);
  await expect.poll(async () => (await batchOf(two, batchId)).running).toBe(2);
  const { each, supervision, isCompleted } = await batchOf(two, batchId);
  expect({ isCompleted, restarts: supervision?.restarts }).toEqual({ isCompleted: false, restarts: 0n });
  expect(each[0]?.executionId).toBe(executionIds[0]);
  const executionId = each[1]?.executionId ?? '';
  const { result } = await two.functions.getExecutionStatus({ executionId });
  expect(result?.originExecutionId).toBe(executionIds[1]);
  const before = await two.functions.getExecutionStatus({ executionId: executionIds[1] ?? '' });
  expect(before.result).toMatchObject({ status: ExecutionStatus.FAILED, errorCode: ErrorCode.INTERRUPTED });
  const { executions } = await two.functions.listExecutions({ batchId });
  expect(executions.length).toBe(3);
  await two.batches.cancelBatch({ batchId });
  expect((await two.batches.waitBatch({ batchId })).batch).toMatchObject({ cancelled: 2, isCompleted: true });
});

test('killed again and again in the midst of restarts it loses none, makes none twice, and ends as it would have', async () => {
  const dataDir = await dataFolder();
  let batchId = '';
  let server = await spawn(dataDir, { slots: '4' });
  onTestFinished(async () => void (await server.end('SIGKILL')));
  await server.register('loop', 'misbehaving/loop.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  const intensity = 12;
  const { batch } = await server.batches.invokeBatch({
    members: [
      { name: 'a', invocation: { task: 'loop' } },
      { name: 'bad', invocation: { task: 'exit', args: ['3'] } },
      { name: 'c', invocation: { task: 'loop' } },
    ],
    supervision: {
      ...{ strategy: SupervisionStrategy.ONE_FOR_ALL, intensity, within: { seconds: 3600n } },
      ...{ backoff: { nanos: 1_000_000 }, maxBackoff: { nanos: 1_000_000 } },
    },
  });
  batchId = batch?.batchId ?? '';
  for (let killed = 0; killed < 4; killed += 1) {
    const restarts = async () => Number((await batchOf(server, batchId)).supervision?.restarts ?? 0n);
    await expect.poll(restarts, { interval: 5 }).toBeGreaterThanOrEqual(killed * 3 + 1);
    await server.end('SIGKILL');
    server = await spawn(dataDir, { slots: '4' });
  }
  await server.batches.waitBatch({ batchId });
  const { supervision, each } = await batchOf(server, batchId);
  expect(supervision).toMatchObject({
    restarts: BigInt(intensity),
    endReason: SupervisionEndReason.INTENSITY,
    endMessage: `member 1 (bad) ended FUNCTION_EXIT, and ${intensity} restarts within 1 h 0 min are all that are allowed`,
  });
  // Each restart made one execution of each member, and named the one before.
  for (const { executionId, restarts } of each) {
    expect(restarts).toBe(intensity);
    const seen: string[] = [];
    for (let id = executionId; id !== ''; ) {
      seen.push(id);
      const { result } = await server.functions.getExecutionStatus({ executionId: id });
      expect(result?.completedAt).toBeDefined();
      id = result?.originExecutionId ?? '';
    }
    expect(new Set(seen).size).toBe(intensity + 1);
  }
  const { executions } = await server.functions.listExecutions({ batchId, pageSize: 1000 });
  expect(executions.length).toBe(3 * (intensity + 1));
});
