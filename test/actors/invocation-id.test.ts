import { describe, expect, test } from 'vitest';
import { isSettled, settle } from '../support/fake-clock.ts';
import { requestWith, taskWith } from '../support/samples.ts';
import { crash, noUnhandledRejections, supervisorBench } from './supervisor-bench.ts';

const request = requestWith({ invocationId: 'key', payloadDigest: 'same' });

test('a hundred concurrent requests with one key make one execution, and all but one have joined', async () => {
  const bench = supervisorBench();
  const admissions = await Promise.all(Array.from({ length: 100 }, () => bench.supervisor.admit(request)));
  expect(new Set(admissions.map(({ cursor }) => cursor.executionId)).size).toBe(1);
  expect(admissions.filter(({ joined }) => !joined)).toHaveLength(1);
  await settle();
  expect(bench.runtime.calls).toHaveLength(1);
  bench.runtime.call(0).complete();
  await settle();
  for (const { cursor } of admissions) expect(cursor.record.status).toBe('completed');
  expect(await bench.store.executions({ statuses: [], limit: 10 })).toHaveLength(1);
  await bench.leavesNothing();
});

test('a duplicate that comes before the first is durable waits for that', async () => {
  const bench = supervisorBench();
  bench.watched.hold();
  const first = bench.supervisor.admit(request);
  await settle();
  const second = bench.supervisor.admit(request);
  expect(await isSettled(second)).toBe(false);
  expect(await isSettled(first)).toBe(false);
  bench.watched.release();
  expect(await second).toMatchObject({ joined: true, cursor: { record: { mode: 'sync' } } });
  await settle();
  bench.runtime.call(0).complete();
  await bench.leavesNothing();
});

test('one key of two tenants makes an execution of each, which each of them joins, live or ended', async () => {
  const bench = supervisorBench();
  const of = (tenant: string) => ({ ...request, task: { ...taskWith(), tenant, taskId: `task_${tenant}` } });
  const [a, b] = await Promise.all([bench.supervisor.admit(of('a')), bench.supervisor.admit(of('b'))]);
  expect([a.joined, b.joined]).toEqual([false, false]);
  expect(a.cursor.executionId).not.toBe(b.cursor.executionId);
  const joined = async (tenant: string) => (await bench.supervisor.admit(of(tenant))).cursor.executionId;
  expect(await joined('b')).toBe(b.cursor.executionId);
  await settle();
  for (const call of [0, 1]) bench.runtime.call(call).complete();
  await settle();
  expect(await joined('a')).toBe(a.cursor.executionId);
  expect(await joined('b')).toBe(b.cursor.executionId);
  expect((await bench.store.execution(a.cursor.executionId))?.tenant).toBe('a');
  await bench.leavesNothing();
});

test('another payload is refused, and names the execution that has the key only to who may see it', async () => {
  const bench = supervisorBench();
  const { cursor } = await bench.supervisor.admit(request);
  const other = requestWith({ invocationId: 'key', payloadDigest: 'other' });
  const told = async (tasks: readonly string[]) => {
    const scope = { tenant: 'default', tasks };
    const error = await bench.supervisor.admit({ ...other, scope }).catch((thrown: unknown) => thrown);
    return `${String(error)} ${JSON.stringify(error)}`;
  };
  expect(await told(['e*'])).toContain(cursor.executionId);
  expect(await told(['x*'])).toMatch(/already used with another payload/);
  expect(await told(['x*'])).not.toContain(cursor.executionId);
  await settle();
  bench.runtime.call(0).complete();
  await settle();
  await bench.leavesNothing();
});

test('another payload is refused, naming the execution that has the key: running or finished', async () => {
  const bench = supervisorBench();
  const { cursor } = await bench.supervisor.admit(request);
  const other = requestWith({ invocationId: 'key', payloadDigest: 'other' });
  const refusal = {
    kind: 'already_exists',
    reason: 'INVOCATION_ID_IN_USE',
    metadata: { execution_id: cursor.executionId },
  };
  await expect(bench.supervisor.admit(other)).rejects.toMatchObject(refusal);
  await settle();
  bench.runtime.call(0).complete();
  await settle();
  await expect(bench.supervisor.admit(other)).rejects.toMatchObject(refusal);
  expect(bench.runtime.calls).toHaveLength(1);
  await bench.leavesNothing();
});

test('a finished execution is joined, with its outcome and the mode of the call that made it', async () => {
  const bench = supervisorBench();
  const { cursor } = await bench.supervisor.admit({ ...request, mode: 'async' });
  await settle();
  bench.runtime.call(0).complete({ output: '42' });
  await settle();
  const again = await bench.supervisor.admit(request);
  expect(again.joined).toBe(true);
  expect(again.cursor.record).toMatchObject({
    executionId: cursor.executionId,
    mode: 'async',
    outcome: { status: 'completed', output: '42' },
  });
  expect(bench.runtime.calls).toHaveLength(1);
  await bench.leavesNothing();
});

test('keys of different executions have nothing to do with each other', async () => {
  const bench = supervisorBench();
  const other = await bench.supervisor.admit({ ...request, invocationId: 'key2' });
  const first = await bench.supervisor.admit(request);
  expect(other.joined || first.joined).toBe(false);
  await settle();
  for (const call of bench.runtime.calls) call.complete();
  await bench.leavesNothing();
});

test('the key is the request id too', async () => {
  const bench = supervisorBench();
  const { cursor } = await bench.supervisor.admit(request);
  expect(cursor.record.requestId).toBe('key');
  const without = await bench.admit({ mode: 'async' });
  expect(without.record.requestId).toMatch(/^req_/);
  for (const call of bench.runtime.calls) call.complete();
  await bench.leavesNothing();
});

test('an admission that fails refuses all who wait for it, and leaves the key free', async () => {
  noUnhandledRejections();
  const bench = supervisorBench();
  bench.watched.hold();
  const admissions = [bench.supervisor.admit(request), bench.supervisor.admit(request)];
  const results = Promise.allSettled(admissions);
  await settle();
  bench.store.failNext(new Error('disk full'));
  bench.watched.release();
  for (const result of await results) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { kind: 'unavailable', reason: 'STORE_UNAVAILABLE' },
    });
  }
  expect(bench.runtime.calls).toHaveLength(0);
  expect(bench.supervisor.load).toMatchObject({ live: 0, pending: 0 });
  expect(await bench.store.executionByInvocation('default', 'key')).toBeUndefined();
});

describe('after a restart of the node', () => {
  const started = { invocationId: 'key', payloadDigest: 'same' };

  test('a finished execution is joined by its key', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, started);
    before.runtime.call(0).complete({ output: '1' });
    await settle();
    const after = crash(before);
    await after.supervisor.recover();
    const again = await after.supervisor.admit(request);
    expect(again).toMatchObject({ joined: true, cursor: { record: { executionId, status: 'completed' } } });
    await after.leavesNothing();
  });

  test('a hundred concurrent requests join the one that goes on, and follow it', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, started);
    const after = crash(before);
    await after.supervisor.recover();
    const admissions = await Promise.all(Array.from({ length: 100 }, () => after.supervisor.admit(request)));
    expect(new Set(admissions.map(({ cursor }) => cursor.executionId))).toEqual(new Set([executionId]));
    expect(admissions.every(({ joined }) => joined)).toBe(true);
    await after.clock.advance(0);
    expect(after.runtime.calls).toHaveLength(1);
    after.runtime.call(0).complete({ output: '42' });
    await settle();
    for (const { cursor } of admissions) {
      expect(cursor.record).toMatchObject({ status: 'completed', outcome: { output: '42' } });
    }
    // Its end lets go of the key here, and the store answers.
    expect(await after.supervisor.admit(request)).toMatchObject({ joined: true, cursor: { executionId } });
    await after.leavesNothing();
  });

  test('another payload is refused, naming the execution that goes on', async () => {
    const before = supervisorBench();
    const { executionId } = await before.start({}, started);
    const after = crash(before);
    await after.supervisor.recover();
    const other = requestWith({ invocationId: 'key', payloadDigest: 'other' });
    await expect(after.supervisor.admit(other)).rejects.toMatchObject({
      kind: 'already_exists',
      metadata: { execution_id: executionId },
    });
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('a hundred requests whose first was never durable make one execution', async () => {
    const before = supervisorBench();
    before.watched.hold();
    void before.supervisor.admit(request);
    await settle();
    const after = crash(before);
    expect(await after.supervisor.recover()).toEqual({ revived: 0, incompatible: 0 });
    const admissions = await Promise.all(Array.from({ length: 100 }, () => after.supervisor.admit(request)));
    expect(new Set(admissions.map(({ cursor }) => cursor.executionId)).size).toBe(1);
    expect(admissions.filter(({ joined }) => !joined)).toHaveLength(1);
    await settle();
    expect(before.runtime.calls).toHaveLength(0);
    expect(after.runtime.calls).toHaveLength(1);
    after.runtime.call(0).complete();
    await after.leavesNothing();
  });
});
