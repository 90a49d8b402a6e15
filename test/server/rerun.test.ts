/** Running again what has ended, one by one and in bulk. */
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect } from '../../src/client/channel.ts';
import {
  ErrorCode,
  ExecutionMode,
  ExecutionStatus,
  Priority,
} from '../../src/server/gen/spearlet/function_pb.js';
import {
  type RerunExecutionsResponse,
  RerunRefusal,
  RerunService,
} from '../../src/server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import { collect } from './collect.ts';
import { server, withServer } from './local.ts';
import { refusal } from './refusal.ts';

withServer({ slots: '4', retainFor: '3600000' });

type Request = Parameters<ReturnType<typeof reruns>['rerunExecutions']>[0];
const reruns = () => server.connection.service(RerunService);

/** All that a run tells, and how it stands at its end. */
async function rerun(
  request: Request,
): Promise<RerunExecutionsResponse & { all: RerunExecutionsResponse[] }> {
  const all = await collect(reruns().rerunExecutions(request));
  const last = all.at(-1);
  if (last?.done !== true) throw new Error('it was not told to its end');
  return Object.assign(last, { all });
}

const items = ({ all }: { all: RerunExecutionsResponse[] }) => all.flatMap((each) => each.items);
const counts = ({ refused }: RerunExecutionsResponse) =>
  Object.fromEntries(refused.map((each) => [RerunRefusal[each.refusal], Number(each.count)]));

/** Runs a program that ends with an exit code that its caller chooses. */
async function failed(task: string, code: number, more: object = {}): Promise<string> {
  const { executionId } = await server.functions.invokeFunction({ task, args: [String(code)], ...more });
  return executionId;
}

const statusOf = async (executionId: string) =>
  (await server.functions.getExecutionStatus({ executionId, includeOutput: true })).result;

const listed = (task: string) => server.functions.listExecutions({ task, pageSize: 1000 });

describe('one execution', () => {
  it('is run again as a new one with all that it had, and names the first', async () => {
    await server.register('echo', 'misbehaving/cat.wasm', { labels: { team: 'a' } });
    const input = Buffer.from('what was said\n');
    const metadata = { order: '17' };
    const labels = { day: 'monday' };
    const fairnessKey = 'ann';
    const origin = await server.functions.invokeFunction({
      ...{ task: 'echo', input, metadata, labels, fairnessKey, contentType: 'text/plain' },
    });
    const done = await rerun({ executionIds: [origin.executionId] });
    expect(done).toMatchObject({ matched: 1n, possible: 1n, started: 1n, completed: 1n, found: 0n });
    const [, ended] = items(done);
    const result = await statusOf(ended?.executionId ?? '');
    expect(Buffer.from(result?.output ?? []).toString()).toBe('what was said\n');
    expect(result).toMatchObject({
      ...{ metadata, labels: { team: 'a', day: 'monday' }, fairnessKey },
      rerunOfExecutionId: origin.executionId,
      rerunId: done.rerunId,
      originExecutionId: '',
      requestId: `rerun/${origin.executionId}`,
      priority: Priority.LOW,
      mode: ExecutionMode.ASYNC,
    });
    const again = await rerun({ executionIds: [origin.executionId] });
    expect([again.started, counts(again)]).toEqual([0n, { ALREADY_RERUN: 1 }]);
    expect(items(again)).toMatchObject([{ executionId: ended?.executionId, status: 0 }]);
    const once = await rerun({
      executionIds: [origin.executionId],
      again: true,
      rerunId: 'more',
      priority: 2,
    });
    expect(once).toMatchObject({ started: 1n, completed: 1n });
    const twice = await rerun({ executionIds: [origin.executionId], again: true, rerunId: 'more' });
    expect(twice).toMatchObject({ started: 1n, found: 1n, completed: 1n });
    expect((await listed('echo')).executions).toHaveLength(3);
  });

  it('that cannot be run again is told why', async () => {
    await server.register('loop', 'misbehaving/loop.wasm');
    await server.register('gone', 'misbehaving/exit.wasm');
    const running = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    const taskGone = await failed('gone', 3);
    await server.tasks.deleteTask({ task: 'gone' });
    const unknown = 'exec_01jzzzzzzzzzzzzzzzzzzzzzzz';
    const told = await rerun({ executionIds: [running.executionId, taskGone, unknown], dryRun: true });
    expect(counts(told)).toEqual({ NOT_ENDED: 1, TASK_GONE: 1, EXECUTION_GONE: 1 });
    expect([told.matched, told.possible]).toEqual([3n, 0n]);
    expect(items(told).map(({ originExecutionId }) => originExecutionId)).toEqual([
      running.executionId,
      taskGone,
      unknown,
    ]);
    await server.functions.cancelExecution({ executionId: running.executionId });
  });

  it('runs with the revision that it had, or with another that is named', async () => {
    await server.register('mended', 'misbehaving/exit.wasm');
    const origin = await failed('mended', 9);
    await server.register('mended', 'misbehaving/cat.wasm');
    const same = await rerun({ executionIds: [origin] });
    expect(same).toMatchObject({ failed: 1n });
    const newest = await rerun({ executionIds: [origin], again: true, revision: 'newest' });
    expect(newest).toMatchObject({ completed: 1n });
    const { executions } = await listed('mended');
    expect(executions.map(({ taskRevision }) => taskRevision)).toEqual([2, 1, 1]);
    const alias = { task: 'mended', alias: 'good', shares: [{ revision: 2, percent: 100 }] };
    await server.connection.service(RevisionService).setAlias(alias);
    const named = await rerun({ executionIds: [origin], again: true, revision: 'good' });
    expect(await statusOf(items(named)[0]?.executionId ?? '')).toMatchObject({
      taskRevision: 2,
      alias: 'good',
    });
    const none = await rerun({ executionIds: [origin], again: true, revision: '7' });
    expect(counts(none)).toEqual({ REVISION_GONE: 1 });
  });

  it('of a function that the other revision does not have is refused with what there is', async () => {
    await server.register('typed', 'typed/typed.wasm');
    const origin = await server.functions.invokeFunction({ task: 'typed', functionName: 'ping' });
    await server.register('typed', 'misbehaving/cat.wasm');
    const told = await rerun({ executionIds: [origin.executionId], revision: 'newest' });
    expect(counts(told)).toEqual({ REFUSED: 1 });
    expect(items(told)[0]?.message).toMatch(/no function "ping"|function_name/);
  });
});

describe('what a filter means', () => {
  it('is counted first and then run, once each, however often it is asked for', async () => {
    await server.register('bulk', 'misbehaving/exit.wasm');
    const ids: string[] = [];
    for (let number = 0; number < 12; number += 1) ids.push(await failed('bulk', 7));
    await failed('bulk', 0);
    const filter = { task: 'bulk' };
    const counted = await rerun({ filter, dryRun: true });
    expect(counted).toMatchObject({ matched: 12n, possible: 12n, started: 0n, counting: false });
    expect((await listed('bulk')).executions).toHaveLength(13);
    const done = await rerun({ filter, rerunId: 'first', maxInFlight: 3 });
    expect(done).toMatchObject({ matched: 12n, started: 12n, failed: 12n, completed: 0n, rerunId: 'first' });
    // The oldest first.
    const started = items(done).filter(({ status }) => status === ExecutionStatus.PENDING);
    expect(started.map(({ originExecutionId }) => originExecutionId)).toEqual(ids);
    const again = await rerun({ filter, rerunId: 'first' });
    expect(again).toMatchObject({ matched: 12n, started: 12n, found: 12n, failed: 12n });
    expect((await listed('bulk')).executions).toHaveLength(25);
    // What was made and has failed is run again by another run, and what it was made of is not.
    const next = await rerun({ filter, dryRun: true });
    expect([next.matched, next.possible, counts(next)]).toEqual([24n, 12n, { ALREADY_RERUN: 12 }]);
  });

  it('is by status, code, labels and time', async () => {
    await server.register('filtered', 'misbehaving/exit.wasm');
    await server.register('filtered-trap', 'misbehaving/trap.wasm');
    const one = await failed('filtered', 2, { labels: { day: 'mon' } });
    await failed('filtered', 2, { labels: { day: 'tue' } });
    await failed('filtered', 0);
    await failed('filtered-trap', 0);
    const matched = async (filter: object) => Number((await rerun({ filter, dryRun: true })).matched);
    expect(await matched({ task: 'filtered' })).toBe(2);
    expect(await matched({ task: 'filtered', labels: { day: 'mon' } })).toBe(1);
    expect(await matched({ task: 'filtered', statuses: [ExecutionStatus.COMPLETED] })).toBe(1);
    expect(await matched({ task: 'filtered', errorCodes: [ErrorCode.TRAP] })).toBe(0);
    expect(await matched({ task: 'filtered-trap', errorCodes: [ErrorCode.TRAP] })).toBe(1);
    const { createdAt } = (await statusOf(one)) ?? {};
    expect(await matched({ task: 'filtered', createdBefore: createdAt })).toBe(0);
    expect(await matched({ task: 'filtered', createdAfter: createdAt })).toBe(2);
    expect(await matched({ task: 'filtered', createdAfter: timestampFromMs(4e12) })).toBe(0);
  });

  it('is by the batch of which they are members', async () => {
    await server.register('of-batch', 'misbehaving/exit.wasm');
    await failed('of-batch', 1);
    const batchOf = async (...codes: readonly string[]) => {
      const members = codes.map((code) => ({ invocation: { task: 'of-batch', args: [code] } }));
      const { batch } = await server.batches.invokeBatch({ members });
      const batchId = batch?.batchId ?? '';
      await server.batches.waitBatch({ batchId });
      return batchId;
    };
    const batchId = await batchOf('0', '2', '3');
    await batchOf('4');
    const filter = { batchId };
    expect(await rerun({ filter, dryRun: true })).toMatchObject({ matched: 2n, possible: 2n });
    const done = await rerun({ filter });
    expect(done).toMatchObject({ matched: 2n, started: 2n, failed: 2n });
    // The new ones are no members.
    expect(await rerun({ filter, dryRun: true })).toMatchObject({ matched: 2n, possible: 0n });
    const none = { batchId, task: 'of-batch', errorCodes: [ErrorCode.TRAP] };
    expect(await rerun({ filter: none, dryRun: true })).toMatchObject({ matched: 0n });
    const unknown = await refusal(reruns().rerunExecutions({ filter: { batchId: 'batch_none' } }));
    expect([unknown.code, unknown.reason]).toEqual(['NOT_FOUND', 'BATCH_NOT_FOUND']);
  });

  it('is run again with what it followed, whose outputs go to what follows them anew', async () => {
    await server.register('graph', 'misbehaving/exit.wasm');
    const waiting = { startAfter: { seconds: 0n, nanos: 400_000_000 }, executionMode: ExecutionMode.ASYNC };
    const first = await server.functions.invokeFunction({ task: 'graph', ...waiting });
    await server.register('graph-end', 'misbehaving/cat.wasm');
    const dependsOn = [{ executionId: first.executionId, asInput: true }];
    const second = await server.functions.invokeFunction({ task: 'graph-end', dependsOn, ...waiting });
    const ended = await server.functions.waitExecution({ executionId: second.executionId });
    expect(ended.result?.errorCode).toBe(ErrorCode.DEPENDENCY_FAILED);
    await server.register('graph', 'misbehaving/cat.wasm');
    const alone = await rerun({ executionIds: [second.executionId] });
    expect(counts(alone)).toEqual({ REFUSED: 1 });
    expect(items(alone)[0]?.message).toContain(`depends on ${first.executionId}, which was not run again`);
    const executionIds = [second.executionId, first.executionId];
    const both = await rerun({ executionIds, revision: 'newest' });
    expect(both).toMatchObject({ started: 2n, completed: 2n });
    const made = items(both).filter(({ status }) => status === ExecutionStatus.COMPLETED);
    const of = new Map(made.map(({ originExecutionId, executionId }) => [originExecutionId, executionId]));
    const result = await statusOf(of.get(second.executionId) ?? '');
    expect(result?.dependsOn).toMatchObject([{ executionId: of.get(first.executionId), asInput: true }]);
  });

  it('goes on where it was left when its caller went away', async () => {
    await server.register('left', 'misbehaving/loop.wasm');
    await server.register('left', 'misbehaving/exit.wasm');
    const ids: string[] = [];
    for (let number = 0; number < 30; number += 1) ids.push(await failed('left', 4));
    const filter = { task: 'left' };
    const caller = connect(server.grpcAddress);
    onTestFinished(() => caller.close());
    for await (const { started } of caller
      .service(RerunService)
      .rerunExecutions({ filter, rerunId: 'left-1', maxInFlight: 1 })) {
      if (started > 0n) break;
    }
    const done = await rerun({ filter, rerunId: 'left-1' });
    expect(done).toMatchObject({ matched: 30n, started: 30n, failed: 30n });
    const { executions } = await listed('left');
    const made = executions.filter(({ rerunOfExecutionId }) => rerunOfExecutionId !== '');
    expect(made.map(({ rerunOfExecutionId }) => rerunOfExecutionId).sort()).toEqual(ids.sort());
  });
});

it.each<[Request, string, RegExp]>([
  [{}, 'filter', /neither is set; allowed is one of them/],
  [{ filter: {}, executionIds: ['exec_1'] }, 'filter', /stands beside execution_ids/],
  [{ executionIds: ['nothing'] }, 'execution_id', /"nothing" is not an execution id/],
  [{ filter: { statuses: [ExecutionStatus.RUNNING] } }, 'filter.statuses[0]', /is 2; allowed are COMPLETED/],
  [
    { filter: { errorCodes: [99 as ErrorCode] } },
    'filter.error_codes[0]',
    /is 99; allowed are FUNCTION_ERROR/,
  ],
  [{ filter: { batchId: 'x' } }, 'filter.batch_id', /"x" is not the id of a batch; allowed is batch_/],
  [{ filter: {}, rerunId: 'a/b' }, 'rerun_id', /is "a\/b"; allowed are 1 to 63 of/],
  [{ filter: {}, maxInFlight: 1001 }, 'max_in_flight', /is 1001; allowed are 1 to 1000/],
  [{ filter: {}, revision: 'Live' }, 'revision', /has the revision "Live"/],
  [{ filter: {}, priority: 9 as Priority }, 'priority', /9 is none; allowed are LOW/],
])('%j is refused with the field and what is allowed', async (request, field, message) => {
  const { code, fields } = await refusal(reruns().rerunExecutions(request));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(fields[field]).toMatch(message);
});

it('a caller cannot take an invocation id that a run would give', async () => {
  await server.register('reserved', 'misbehaving/cat.wasm');
  const refused = await refusal(
    server.functions.invokeFunction({ task: 'reserved', invocationId: 'rerun/x' }),
  );
  expect(refused.fields.invocation_id).toMatch(/begins with "rerun\/", which is for what is run again/);
});
