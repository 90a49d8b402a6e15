/** What a caller is told of an invocation that is not made. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DryRunVerdict, ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

beforeAll(async () => {
  server = await startServer({ slots: '2' });
  await server.register('loop', 'misbehaving/loop.wasm');
  const by = (whenFull: number) => ({ concurrency: [{ key: 'metadata.user', limit: 1, whenFull }] });
  await server.register('by-user', 'misbehaving/loop.wasm', by(0));
  await server.register('one', 'misbehaving/loop.wasm', by(2));
  await server.register('newest', 'misbehaving/loop.wasm', by(3));
});

afterAll(() => server.stop());

async function asked(request: object) {
  const answer = await server.functions.invokeFunction({ ...request, dryRun: true } as Request);
  expect([answer.success, answer.executionId, answer.result]).toEqual([true, '', undefined]);
  if (answer.dryRun === undefined) throw new Error('no answer to the dry run');
  return answer.dryRun;
}

async function start(request: object): Promise<string> {
  const made = { ...request, executionMode: ExecutionMode.ASYNC } as Request;
  return (await server.functions.invokeFunction(made)).executionId;
}

async function end(...ids: readonly string[]): Promise<void> {
  for (const executionId of ids) await server.functions.cancelExecution({ executionId });
  await expect.poll(async () => (await server.nodes.getNode({})).node?.running).toBe(0);
}

const all = async () => (await server.functions.listExecutions({})).executions.length;

describe('a dry run', () => {
  it('says that it would start at once, and leaves nothing', async () => {
    const before = await all();
    expect(await asked({ task: 'loop' })).toMatchObject({
      verdict: DryRunVerdict.START,
      summary: 'It would start at once.',
      queuePlace: 0n,
      heldBy: [],
    });
    expect(await all()).toBe(before);
    expect((await server.nodes.getNode({})).node).toMatchObject({ running: 0, pending: 0 });
  });

  it('names the gate, who holds it, the place and when it would likely start', async () => {
    const first = await start({ task: 'by-user', metadata: { user: 'a' } });
    const second = await start({ task: 'by-user', metadata: { user: 'a' } });
    const held = await asked({ task: 'by-user', metadata: { user: 'a' } });
    expect(held).toMatchObject({
      verdict: DryRunVerdict.WAIT,
      summary:
        'It would wait, place 2 of 2 in the queue: all that may run at a time with concurrency key metadata.user "a" do: the limit is 1.',
      queuePlace: 2n,
      heldBy: [first],
      gate: { kind: 'concurrency', key: 'metadata.user', value: 'a', limit: 1n },
    });
    expect(Number(held.startsIn?.seconds)).toBeGreaterThanOrEqual(1);
    expect((await asked({ task: 'by-user', metadata: { user: 'b' } })).verdict).toBe(DryRunVerdict.START);
    const explained = await server.nodes.explainExecution({ executionId: second });
    expect(explained.details.some((line) => line.startsWith('it will likely start in '))).toBe(true);
    await end(second, first);
  });

  it('says that all slots are taken, and by whom', async () => {
    const running = [await start({ task: 'loop' }), await start({ task: 'loop' })];
    const { verdict, summary, heldBy } = await asked({ task: 'loop' });
    expect(verdict).toBe(DryRunVerdict.WAIT);
    expect(summary).toBe('It would wait, place 1 of 1 in the queue: all 2 slots are taken.');
    expect(heldBy.toSorted()).toEqual(running.toSorted());
    await end(...running);
  });

  it('names those whose place it would take, and cancels none of them', async () => {
    const metadata = { user: 'a' };
    const first = await start({ task: 'newest', metadata });
    const second = await start({ task: 'newest', metadata });
    const { details } = await asked({ task: 'newest', metadata });
    expect(details).toContain(`it would take the place of ${second} (when_full)`);
    const { result } = await server.functions.getExecutionStatus({ executionId: second });
    expect(result?.state).toBe('pending.queued');
    await end(second, first);
  });

  it('names the execution that has its invocation id already', async () => {
    const executionId = await start({ task: 'loop', invocationId: 'k' });
    expect(await asked({ task: 'loop', invocationId: 'k' })).toMatchObject({
      verdict: DryRunVerdict.JOIN,
      joinsExecutionId: executionId,
    });
    const other = { task: 'loop', invocationId: 'k', args: ['x'], dryRun: true } as unknown as Request;
    expect(await refusal(server.functions.invokeFunction(other))).toMatchObject({
      reason: 'INVOCATION_ID_IN_USE',
    });
    await end(executionId);
    expect(await asked({ task: 'loop', invocationId: 'new' })).toMatchObject({
      verdict: DryRunVerdict.START,
    });
  });

  it('waits for a start time, as the request would', async () => {
    const { verdict, startsIn } = await asked({ task: 'loop', startAfter: { seconds: 3600n } });
    expect([verdict, startsIn?.seconds]).toEqual([DryRunVerdict.WAIT, 3600n]);
  });

  it.each([
    ['a task that is not there', { task: 'none' }, 'TASK_NOT_FOUND'],
    ['a function that is not there', { task: 'loop', functionName: 'none' }, 'FUNCTION_NOT_FOUND'],
    ['metadata of too many bytes', { task: 'loop', metadata: { a: 'x'.repeat(9000) } }, 'INVALID_FIELD'],
  ])('is refused for %s as the request would be', async (_what, request, reason) => {
    const refused = refusal(server.functions.invokeFunction({ ...request, dryRun: true } as never));
    expect(await refused).toMatchObject({ reason });
  });

  it('is refused for a key that refuses, and for a quota, as the request would be', async () => {
    const metadata = { user: 'a' };
    const dry = { task: 'one', metadata, dryRun: true } as unknown as Request;
    const first = await start({ task: 'one', metadata });
    expect(await refusal(server.functions.invokeFunction(dry))).toMatchObject({ reason: 'CONCURRENCY_FULL' });
    const second = await start({ task: 'loop' });
    const quotas = server.connection.service(QuotaService);
    await quotas.setQuota({ tenant: 'default', quota: { pending: 0 } });
    const loop = { task: 'loop', dryRun: true } as Request;
    expect(await refusal(server.functions.invokeFunction(loop))).toMatchObject({
      reason: 'TENANT_QUOTA_FULL',
    });
    await quotas.setQuota({ tenant: 'default', quota: {} });
    await end(first, second);
  });

  it('has the same answer over HTTP', async () => {
    const answer = await fetch(`http://${server.httpAddress}/api/FunctionService/InvokeFunction`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${adminToken(server.dataDir)}`,
      },
      body: JSON.stringify({ task: 'loop', dryRun: true }),
    });
    expect(await answer.json()).toMatchObject({
      message: 'It would start at once.',
      dryRun: { verdict: 'DRY_RUN_VERDICT_START' },
    });
  });

  it('is not for a stream', async () => {
    const stream = server.functions.streamFunction({ task: 'loop', dryRun: true } as Request);
    const refused = await refusal((async () => stream[Symbol.asyncIterator]().next())());
    expect(refused.message).toContain('dry_run: is for the InvokeFunction method');
  });
});
