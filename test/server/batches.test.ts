/** Batches, over the wire of a real node. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import { AccessService, Role } from '../../src/server/gen/spearlet/access_pb.js';
import { BatchService, MemberFailurePolicy } from '../../src/server/gen/spearlet/batch_pb.js';
import { ErrorCode, ExecutionMode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { QuotaService } from '../../src/server/gen/spearlet/quota_pb.js';
import { RuntimeKind, TaskService } from '../../src/server/gen/spearlet/task_pb.js';
import { adminTokenFile } from '../../src/stores/token-file.ts';
import { example, startServer } from '../support/server.ts';
import { collect } from './collect.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
  await server.register('exit', 'misbehaving/exit.wasm');
  await server.register('loop', 'misbehaving/loop.wasm');
});

const input = (text: string) => new TextEncoder().encode(text);
const cat = (name: string, ...after: readonly string[]) => ({
  name,
  invocation: { task: 'cat', input: input(name), dependsOn: after.map((each) => ({ name: each })) },
});

async function invoke(request: Parameters<typeof server.batches.invokeBatch>[0]) {
  const answer = await server.batches.invokeBatch(request);
  return { ...answer, batchId: answer.batch?.batchId ?? '' };
}

describe('a batch', () => {
  test('runs its members in the order of what they follow, and says how they stand', async () => {
    const members = [cat('a'), cat('b', 'a'), cat('c', 'a'), cat('d', 'b', 'c')];
    const { batchId, executionIds, batch } = await invoke({ members });
    expect(batch).toMatchObject({ members: 4, layers: 3, taskNames: ['cat'] });
    const { batch: ended } = await server.batches.waitBatch({ batchId });
    expect(ended).toMatchObject({ isCompleted: true, completed: 4, lastSequence: 4n });
    const { members: listed } = await server.batches.listBatchMembers({ batchId });
    expect(listed.map(({ name, layer, follows }) => ({ name, layer, follows }))).toEqual([
      { name: 'a', layer: 0, follows: [] },
      { name: 'b', layer: 1, follows: [0] },
      { name: 'c', layer: 1, follows: [0] },
      { name: 'd', layer: 2, follows: [1, 2] },
    ]);
    expect(listed.map((member) => member.executionId)).toEqual(executionIds);
    const events = await collect(server.batches.watchBatch({ batchId }));
    const names = events.flatMap(({ event }) => (event.case === 'member' ? [event.value.name] : []));
    expect([names[0], names[3]]).toEqual(['a', 'd']);
    expect(events.at(-1)?.event.case).toBe('batch');
    const rest = await collect(server.batches.watchBatch({ batchId, fromSequence: 4n }));
    expect(rest.map(({ event }) => event.case)).toEqual(['member', 'batch']);
    const { executions } = await server.functions.listExecutions({ batchId });
    expect(executions.map((each) => each.batchId)).toEqual([batchId, batchId, batchId, batchId]);
    const first = await server.functions.getExecutionStatus({ executionId: executionIds[0] ?? '' });
    expect(first.dependants.map((each) => each.executionId).sort()).toEqual(executionIds.slice(1, 3));
  });

  test('goes on where a member fails, and what follows that fails with it', async () => {
    const members = [
      { name: 'bad', invocation: { task: 'exit', args: ['3'] } },
      cat('after', 'bad'),
      cat('beside'),
    ];
    const { batchId } = await invoke({ members });
    const { batch } = await server.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ completed: 1, failed: 2 });
    const failed = await server.batches.listBatchMembers({ batchId, statuses: [ExecutionStatus.FAILED] });
    expect(failed.members.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['bad', ErrorCode.FUNCTION_EXIT],
      ['after', ErrorCode.DEPENDENCY_FAILED],
    ]);
    const { groups, links, failures } = await server.batches.groupBatchMembers({ batchId });
    expect(groups).toMatchObject([
      { firstLayer: 0, taskName: 'cat', tasks: 1, completed: 1, failed: 0 },
      { firstLayer: 0, taskName: 'exit', failed: 1 },
      { firstLayer: 1, lastLayer: 1, taskName: 'cat', failed: 1 },
    ]);
    expect(links).toMatchObject([{ from: 1, to: 2, count: 1 }]);
    expect(failures.map(({ errorCode, count }) => [errorCode, count]).sort()).toEqual(
      [
        [ErrorCode.FUNCTION_EXIT, 1],
        [ErrorCode.DEPENDENCY_FAILED, 1],
      ].sort(),
    );
    const named = async (query: object) =>
      (await server.batches.listBatchMembers({ batchId, ...query })).members.map((member) => member.name);
    expect(await named({ firstLayer: 1 })).toEqual(['after']);
    expect(await named({ lastLayer: 0, taskName: 'cat' })).toEqual(['beside']);
    expect(await named({ errorCodes: [ErrorCode.FUNCTION_EXIT] })).toEqual(['bad']);
    const unknown = server.batches.listBatchMembers({ batchId, errorCodes: [999 as ErrorCode] });
    expect((await refusal(unknown)).message).toContain('error_codes[0]: is 999; allowed are FUNCTION_ERROR');
    const [bad, after] = failed.members.map((member) => member.executionId);
    const { dependencies } = await server.functions.getExecutionStatus({ executionId: after ?? '' });
    expect(dependencies).toMatchObject([{ executionId: bad, dependency: { name: 'bad', condition: 1 } }]);
    const { dependants } = await server.functions.getExecutionStatus({ executionId: bad ?? '' });
    expect(dependants).toMatchObject([{ executionId: after, dependency: { executionId: bad } }]);
  });

  test('ends the others with the first that fails, where it says so', async () => {
    const loop = { name: 'loop', invocation: { task: 'loop' } };
    const members = [loop, cat('after', 'loop'), { name: 'bad', invocation: { task: 'exit', args: ['3'] } }];
    const onMemberFailure = MemberFailurePolicy.CANCEL_OTHERS;
    const { batchId } = await invoke({ members, onMemberFailure });
    const { batch } = await server.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ isCompleted: true, failed: 1, cancelled: 2, cancelling: true });
  });

  test('can be cancelled as a whole, once', async () => {
    const members = [{ name: 'loop', invocation: { task: 'loop' } }, cat('after', 'loop')];
    const { batchId } = await invoke({ members });
    expect(await server.batches.cancelBatch({ batchId, reason: 'enough' })).toMatchObject({ changed: true });
    const { batch } = await server.batches.waitBatch({ batchId });
    expect(batch).toMatchObject({ cancelled: 2 });
    expect(await server.batches.cancelBatch({ batchId })).toMatchObject({ changed: false });
    const { batches } = await server.batches.listBatches({});
    expect(batches.map((each) => each.batchId)).toContain(batchId);
  });

  test('is joined by its invocation id, and by the same members alone', async () => {
    const request = { members: [cat('a'), cat('b', 'a')], invocationId: 'once' };
    const made = await invoke(request);
    const again = await invoke(request);
    expect(again).toMatchObject({ joined: true, batchId: made.batchId, executionIds: made.executionIds });
    expect(await refusal(server.batches.invokeBatch({ ...request, members: [cat('a')] }))).toMatchObject({
      code: 'ALREADY_EXISTS',
      reason: 'INVOCATION_ID_IN_USE',
      metadata: { batch_id: made.batchId },
    });
  });

  test('follows executions that are not of it, and comes as a stream', async () => {
    const { executionId } = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    async function* parts() {
      yield { options: {} };
      yield {
        members: [{ name: 'a', invocation: { task: 'cat', dependsOn: [{ executionId, condition: 2 }] } }],
      };
      yield { members: [cat('b', 'a')] };
    }
    const { batch } = await server.batches.invokeBatchFromStream(parts());
    const batchId = batch?.batchId ?? '';
    expect(batch).toMatchObject({ pending: 2 });
    await server.functions.cancelExecution({ executionId });
    expect((await server.batches.waitBatch({ batchId })).batch).toMatchObject({ completed: 2 });
  });
});

describe('a batch is refused as a whole, and names what is wrong', () => {
  test.each([
    [{ members: [] }, 'members: is empty'],
    [{ members: [cat('a', 'b'), cat('b', 'a')] }, '"a" depends on "b", which depends on "a"'],
    [{ members: [cat('a'), cat('a')] }, 'members[1].name: is "a", as that of members[0]'],
    [{ members: [cat('a', 'z')] }, 'members[0].invocation.depends_on[0].name: no member is named "z"'],
    [{ members: [cat('a'), { name: 'b' }] }, 'members[1].invocation: is required'],
    [
      { members: [cat('a'), { invocation: { task: 'cat', invocationId: 'x' } }] },
      'members[1].invocation.invocation_id: is of the batch',
    ],
    [{ members: [cat('a'), { invocation: { task: 'nobody' } }] }, 'members[1].invocation: no task "nobody"'],
    [
      { members: [{ invocation: { task: 'cat', dependsOn: [{ executionId: 'exec_0' }] } }] },
      'members[0].invocation.depends_on[0].execution_id: there is no execution "exec_0"',
    ],
    [{ members: [cat('a')], onMemberFailure: 7 as MemberFailurePolicy }, 'on_member_failure: 7 is not known'],
  ])('%#', async (request, message) => {
    const before = (await server.batches.listBatches({})).batches.length;
    expect((await refusal(server.batches.invokeBatch(request))).message).toContain(message);
    expect((await server.batches.listBatches({})).batches).toHaveLength(before);
  });

  test('where there is no room for all', async () => {
    const small = await startServer({ slots: '1', queueLimit: '2' });
    await small.register('cat', 'misbehaving/cat.wasm');
    const members = ['a', 'b', 'c', 'd', 'e'].map((name) => cat(name));
    expect(await refusal(small.batches.invokeBatch({ members }))).toMatchObject({ reason: 'QUEUE_FULL' });
    expect((await small.functions.listExecutions({})).executions).toEqual([]);
    await small.stop();
  });

  test('and what is not there is not found', async () => {
    expect(await refusal(server.batches.getBatch({ batchId: 'batch_0' }))).toMatchObject({
      code: 'NOT_FOUND',
      reason: 'BATCH_NOT_FOUND',
    });
    expect((await refusal(server.batches.getBatch({ batchId: 'x' }))).message).toContain('allowed is batch_');
    const group = (request: object) =>
      refusal(server.batches.groupBatchMembers({ batchId: 'batch_0', ...request }));
    expect(await group({})).toMatchObject({ reason: 'BATCH_NOT_FOUND' });
    expect((await group({ maxBands: 101 })).message).toContain('max_bands: is 101; allowed are 1 to 100');
    expect((await group({ firstLayer: 2, lastLayer: 1 })).message).toContain('last_layer: is 1; allowed is');
  });
});

describe('a token of some tasks', () => {
  test('pages to its own batches behind those of others', async () => {
    const { batchId } = await invoke({ members: [cat('mine')] });
    for (let count = 0; count < 3; count++) await invoke({ members: [{ invocation: { task: 'exit' } }] });
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'cats', role: Role.OBSERVE, tasks: ['cat'] });
    const connection = connect(server.grpcAddress, { token: secret });
    onTestFinished(() => connection.close());
    const { batches, nextPageToken } = await connection.service(BatchService).listBatches({ pageSize: 1 });
    expect(batches.map((batch) => batch.batchId)).toEqual([batchId]);
    // It may be the id of one that this caller does not see.
    expect(Buffer.from(nextPageToken, 'base64url').toString()).not.toContain('batch_');
  });
});

describe('the quota of a tenant', () => {
  test('holds for batches that come at the same time, too', async () => {
    const connection = connect(server.grpcAddress, {
      token: readFileSync(join(server.dataDir, adminTokenFile), 'utf8').trim(),
      tenant: 'narrow',
    });
    onTestFinished(() => connection.close());
    const source = { case: 'content' as const, value: await example('misbehaving/cat.wasm') };
    const definition = { name: 'cat', runtime: RuntimeKind.WASM, artifact: { source } };
    await connection.service(TaskService).registerTask({ definition });
    await server.connection.service(QuotaService).setQuota({ tenant: 'narrow', quota: { pending: 2500 } });
    const later = { invocation: { task: 'cat', startAfter: { seconds: 3600n } } };
    const members = Array.from({ length: 2000 }, () => later);
    const batches = connection.service(BatchService);
    const answers = await Promise.allSettled([1, 2, 3].map(() => batches.invokeBatch({ members })));
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const { quotas } = await server.connection.service(QuotaService).listQuotas({});
    expect(quotas.find(({ tenant }) => tenant === 'narrow')?.pending).toBe(2000);
  });
});
