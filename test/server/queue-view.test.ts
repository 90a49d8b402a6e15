/** Who waits, what holds them and what frees them, as callers see it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode, FunctionService } from '../../src/server/gen/spearlet/function_pb.js';
import { NodeService } from '../../src/server/gen/spearlet/node_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { adminToken, example, type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '3', anonymousRole: 'none' });
});

afterAll(() => server.stop());

type Connection = ReturnType<typeof connect>;

/** As an administrator in a tenant that nobody else uses. */
async function tenantOf(tenant: string): Promise<Connection> {
  const connection = connect(server.grpcAddress, { token: adminToken(server.dataDir), tenant });
  const artifact = { source: { case: 'content' as const, value: await example('misbehaving/loop.wasm') } };
  const definition = { name: 'loop', runtime: RuntimeKind.WASM, artifact };
  const tasks = connection.service(TaskService);
  await tasks.registerTask({ definition });
  await tasks.registerTask({
    definition: { ...definition, name: 'by-user', concurrency: [{ key: 'metadata.user', limit: 1 }] },
  });
  return connection;
}

type Request = Parameters<LocalServer['functions']['invokeFunction']>[0];

async function begin(connection: Connection, request: Request): Promise<string> {
  const asked = { ...request, executionMode: ExecutionMode.ASYNC } as Request;
  return (await connection.service(FunctionService).invokeFunction(asked)).executionId;
}

async function end(connection: Connection, ids: readonly string[]): Promise<void> {
  const functions = connection.service(FunctionService);
  for (const executionId of ids.toReversed()) await functions.cancelExecution({ executionId });
  for (const executionId of ids) await functions.waitExecution({ executionId });
  connection.close();
}

describe('the queue', () => {
  it('says what holds each class, who, and what frees it; and no more of it when it is free', async () => {
    const shop = await tenantOf('shop');
    const nodes = shop.service(NodeService);
    const ann = { task: 'by-user', metadata: { user: 'ann' } };
    const ids: string[] = [];
    for (const user of ['ann', 'ann', 'ann', 'bob'])
      ids.push(await begin(shop, { ...ann, metadata: { user } }));
    await expect.poll(async () => (await nodes.getQueue({})).running).toBe(2);
    const queue = await nodes.getQueue({});
    expect(queue).toMatchObject({ slots: 3, waiting: 2n, held: 2n, block: '', otherLines: 0n });
    const [line] = queue.lines;
    expect(line).toMatchObject({
      tenant: 'shop',
      priority: 'normal',
      fairnessKey: '',
      waiting: 2n,
      running: 2,
    });
    expect(line).toMatchObject({ shareUsed: 1, shareDue: 1, nextExecutionId: ids[1] });
    expect(line?.nextSince).toBeDefined();
    expect(line?.classes).toMatchObject([
      {
        ...{ waiting: 2n, nextExecutionId: ids[1], heldBy: [ids[0]] },
        gate: { kind: 'concurrency', key: 'metadata.user', value: 'ann', limit: 1n },
        summary: 'all that may run at a time with concurrency key metadata.user "ann" do: the limit is 1',
        freedBy: 'the first of its line goes on when one of those that hold it ends',
      },
    ]);
    await shop.service(FunctionService).cancelExecution({ executionId: ids[0] ?? '' });
    await expect.poll(async () => (await nodes.getQueue({})).waiting).toBe(1n);
    expect((await nodes.getQueue({})).lines[0]?.classes).toMatchObject([{ heldBy: [ids[1]], waiting: 1n }]);
    await end(shop, ids);
  });

  it('is of one tenant, whatever others have waiting, but for an administrator who asks for all', async () => {
    const [mine, theirs] = [await tenantOf('mine'), await tenantOf('theirs')];
    const quotas = theirs.service(QuotaService);
    await quotas.setQuota({ tenant: 'theirs', quota: { running: 1 } });
    const own = await begin(mine, { task: 'loop' });
    const others: string[] = [];
    for (let n = 0; n < 5; n++) others.push(await begin(theirs, { task: 'loop', fairnessKey: 'secret' }));
    const nodes = mine.service(NodeService);
    await expect.poll(async () => (await nodes.getQueue({ allTenants: true })).running).toBe(2);
    const seen = await nodes.getQueue({});
    expect(seen).toMatchObject({ running: 1, waiting: 0n, held: 0n, otherLines: 0n });
    expect(seen.lines).toMatchObject([{ tenant: 'mine', shareDue: 1, shareUsed: 1 }]);
    const all = await nodes.getQueue({ allTenants: true });
    expect(all).toMatchObject({ running: 2, waiting: 4n, held: 4n });
    expect(all.lines).toMatchObject([
      {
        tenant: 'theirs',
        fairnessKey: 'secret',
        waiting: 4n,
        shareDue: 0.5,
        classes: [{ gate: { kind: 'quota' } }],
      },
      { tenant: 'mine', waiting: 0n, running: 1, shareDue: 0.5 },
    ]);
    const { secret } = await mine.service(AccessService).createToken({ name: 'reader', role: Role.OBSERVE });
    const reader = connect(server.grpcAddress, { token: secret });
    expect((await reader.service(NodeService).getQueue({})).lines).toMatchObject([{ tenant: 'mine' }]);
    const refused = await refusal(reader.service(NodeService).getQueue({ allTenants: true }));
    expect(refused).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'OUT_OF_SCOPE' });
    reader.close();
    await end(theirs, others);
    await end(mine, [own]);
  });

  it('is refused to a token for some tasks: its lines have the executions of all', async () => {
    const held = await tenantOf('held');
    const access = held.service(AccessService);
    const { secret } = await access.createToken({ name: 'few', role: Role.OBSERVE, tasks: ['loop'] });
    const few = connect(server.grpcAddress, { token: secret });
    const refused = await refusal(few.service(NodeService).getQueue({}));
    expect(refused).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'OUT_OF_SCOPE' });
    expect(refused.message).toContain(
      'the queue is of all tasks of a tenant; this token is for tasks "loop"',
    );
    few.close();
    held.close();
  });
});
