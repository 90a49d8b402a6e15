/** Results that are kept for equal calls, and runs that equal calls share, on a supervisor. */
import { describe, expect, test } from 'vitest';
import type { AdmissionRequest } from '../../src/domain/executions.ts';
import type { TaskDefinition } from '../../src/domain/task.ts';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith, taskWith } from '../support/samples.ts';
import { crash, runAll, type SupervisorBench, story, supervisorBench } from './supervisor-bench.ts';

const mebibyte = 1024 * 1024;
const bounds = { bytes: 4 * mebibyte, bytesPerTenant: 2 * mebibyte };
const ttlMs = 60_000;

function bench(more: Parameters<typeof supervisorBench>[0] = {}): SupervisorBench {
  return supervisorBench({ cache: bounds, slots: 4, ...more });
}

/** A call of the one task; `key` stands for what tells calls apart. */
function call(key = 'a', more: Partial<AdmissionRequest> = {}, cache: object = {}) {
  const task = taskWith({ cache: { ttlMs, ...cache } });
  return { mode: 'async' as const, task, cache: { key: digest(key), bypass: false }, ...more };
}

const digest = (key: string) => Buffer.from(key).toString('hex').padEnd(64, '0');

/** Admits a call whose run ends at once with that output. */
async function computed(on: SupervisorBench, output = 'out', request = call()) {
  const cursor = await on.admit(request);
  const run = on.runtime.calls.at(-1);
  run?.write('stdout', output);
  run?.write('stderr', 'err');
  run?.complete({ exitCode: 0, output: '"value"' });
  await settle();
  return cursor;
}

describe('an equal call', () => {
  test('is an execution of its own that completes at once with the result that is there', async () => {
    const on = bench();
    const first = await computed(on);
    await on.clock.advance(5000);
    const second = await on.admit(call());
    expect(on.runtime.calls).toHaveLength(1);
    expect(second.record).toMatchObject({
      status: 'completed',
      attempt: 0,
      outcome: first.record.outcome,
      outputBytes: first.record.outputBytes,
      cache: { use: 'hit', from: first.executionId, fromAt: first.record.completedAt },
    });
    expect(story(await on.log(second.executionId))).toEqual([
      '>pending.queued',
      'stdout:out',
      'stderr:err',
      'result',
    ]);
    expect(await on.supervisor.explain(second.executionId)).toMatchObject({
      summary: `It completed with the result of ${first.executionId} (cache).`,
      details: ['that was 5 s old'],
    });
    expect(on.supervisor.cache.savingsOf(first.record.taskId)).toMatchObject({
      hits: 1,
      misses: 1,
      entries: 1,
    });
    await on.leavesNothing();
  });

  test.each([
    ['another call', call('b')],
    ['another revision', call('a', { task: { ...call().task, revision: 2 } })],
    ['another task', call('a', { task: { ...call().task, taskId: 'task_00000000000000000000000002' } })],
    ['one that asks for a run', call('a', { cache: { key: digest('a'), bypass: true } })],
    ['one of a task that has no cache any more', { mode: 'async' as const, task: taskWith() }],
  ])('is not %s', async (_which, request) => {
    const on = bench();
    await computed(on);
    const other = await on.admit(request);
    expect(other.record.status).toBe('running');
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('of a request that asks for a run leaves the newer result there', async () => {
    const on = bench();
    await computed(on, 'old');
    const newer = await computed(on, 'new', call('a', { cache: { key: digest('a'), bypass: true } }));
    const hit = await on.admit(call());
    expect(hit.record.cache).toMatchObject({ use: 'hit', from: newer.executionId });
    await on.leavesNothing();
  });

  test('finds nothing after the time of the task, nor where the clock was set back', async () => {
    const on = bench();
    await computed(on);
    await on.clock.advance(ttlMs);
    const late = await on.admit(call());
    expect(late.record).toMatchObject({ status: 'running', cache: { use: 'miss' } });
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('finds nothing once the origin is deleted, or its log is not kept any more', async () => {
    const on = bench();
    const first = await computed(on);
    on.supervisor.cache.forget(first.executionId);
    expect((await on.admit(call())).record.status).toBe('running');
    expect(on.supervisor.cache.total).toMatchObject({ entries: 0, bytes: 0 });
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('computes anew after a restart', async () => {
    const before = bench();
    await computed(before);
    const after = crash(before, { cache: bounds });
    expect((await after.admit(call())).record.status).toBe('running');
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('that is refused has nothing of the cache: a full queue refuses no hit, a drain does', async () => {
    const on = bench({ slots: 1, queueLimit: 0 });
    await computed(on);
    const other = await on.admit(call('b'));
    expect(other.record.status).toBe('running');
    expect((await on.admit(call())).record.status).toBe('completed');
    await expect(on.admit(call('c'))).rejects.toMatchObject({ kind: 'resource_exhausted' });
    on.supervisor.stopAccepting();
    await expect(on.admit(call())).rejects.toMatchObject({ kind: 'unavailable' });
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('with an invocation id joins its own execution, and is a hit for everybody else', async () => {
    const on = bench();
    await computed(on);
    const request = call('a', { invocationId: 'one', payloadDigest: 'p' });
    const hit = await on.admit(request);
    const joined = await on.supervisor.admit(requestWith(request));
    expect(joined).toMatchObject({ joined: true, cursor: { executionId: hit.executionId } });
    await on.leavesNothing();
  });

  test('with a start time looks when that has come', async () => {
    const on = bench();
    await computed(on);
    const later = await on.admit(call('a', { startAfterMs: 10_000 }));
    expect(later.record.state).toBe('pending.waiting');
    await on.clock.advance(10_000);
    expect(later.record).toMatchObject({ status: 'completed', attempt: 0, cache: { use: 'hit' } });
    await on.leavesNothing();
  });

  test('is told by a dry run', async () => {
    const on = bench();
    const first = await computed(on);
    await on.clock.advance(2000);
    expect(await on.supervisor.rehearse(requestWith(call()))).toMatchObject({
      verdict: 'cached',
      cachedFrom: first.executionId,
      summary: `It would end at once with the result of ${first.executionId}, which is 2 s old (cache).`,
    });
    await on.leavesNothing();
  });
});

describe('what is kept', () => {
  test('is no failure', async () => {
    const on = bench();
    await on.admit(call());
    on.runtime.call(0).fail('TRAP', 'oops');
    await settle();
    expect((await on.admit(call())).record.status).toBe('running');
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('is no output over the bound of its task', async () => {
    const on = bench();
    await computed(on, 'x'.repeat(100), call('a', {}, { maxBytes: 50 }));
    expect((await on.admit(call('a', {}, { maxBytes: 50 }))).record.status).toBe('running');
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('stays under the bound of its tenant: what was used least recently goes', async () => {
    const on = bench({ cache: { bytes: mebibyte, bytesPerTenant: 10_000 } });
    for (const key of ['a', 'b']) await computed(on, 'x'.repeat(3000), call(key));
    await on.admit(call('a'));
    await computed(on, 'x'.repeat(3000), call('c'));
    expect(on.supervisor.cache.total.bytes).toBeLessThanOrEqual(10_000);
    expect((await on.admit(call('a'))).record.status).toBe('completed');
    expect((await on.admit(call('b'))).record.status).toBe('running');
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('stays under the bound of the node: whoever has most loses', async () => {
    const on = bench({ cache: { bytes: 15_000, bytesPerTenant: 15_000 } });
    const other = { ...call().task, tenant: 'other', taskId: 'task_00000000000000000000000002' };
    await computed(on, 'x'.repeat(1000), call('small', { task: other }));
    for (const key of ['a', 'b', 'c', 'd']) await computed(on, 'x'.repeat(3000), call(key));
    expect(on.supervisor.cache.total.bytes).toBeLessThanOrEqual(15_000);
    expect((await on.admit(call('small', { task: other }))).record.status).toBe('completed');
    await on.leavesNothing();
  });
});

describe('equal calls at the same time', () => {
  test('share one run, and each has its log', async () => {
    const on = bench();
    const first = await on.admit(call());
    const others = [await on.admit(call()), await on.admit(call())];
    expect(on.runtime.calls).toHaveLength(1);
    const [second] = others;
    expect(await on.supervisor.explain(second?.executionId ?? '')).toMatchObject({
      summary: `It waits for ${first.executionId}, which runs the same call, and ends with its result (cache).`,
      heldBy: [first.executionId],
    });
    on.runtime.call(0).write('stdout', 'out');
    on.runtime.call(0).complete();
    await settle();
    for (const { record, executionId } of others) {
      expect(record).toMatchObject({
        status: 'completed',
        cache: { use: 'shared', from: first.executionId },
      });
      expect(story(await on.log(executionId))).toEqual(['>pending.queued', 'stdout:out', 'result']);
    }
    expect(on.supervisor.cache.total).toMatchObject({ hits: 0, misses: 1, shared: 2 });
    await on.leavesNothing();
  });

  test('that wait behind others end with it, too', async () => {
    const on = bench({ slots: 1 });
    const blocker = await on.admit({ mode: 'async' });
    const waiting = [await on.admit(call()), await on.admit(call()), await on.admit(call())];
    on.runtime.call(0).complete();
    await settle();
    expect(blocker.record.status).toBe('completed');
    on.runtime.call(1).complete();
    await settle();
    expect(on.runtime.calls).toHaveLength(2);
    expect(waiting.map(({ record }) => record.cache?.use)).toEqual(['miss', 'shared', 'shared']);
    await on.leavesNothing();
  });

  test('are tried by two after a failure, and by four after theirs: never by all at once', async () => {
    const on = bench({ slots: 100 });
    await on.admit(call());
    for (let count = 0; count < 20; count++) await on.admit(call());
    const runs = [on.runtime.running];
    for (let round = 0; round < 3; round++) {
      for (const each of on.runtime.calls.filter(({ over }) => !over)) each.fail('TRAP', 'oops');
      await settle();
      runs.push(on.runtime.running);
    }
    expect(runs).toEqual([1, 2, 4, 8]);
    on.runtime.calls.at(-1)?.complete();
    await settle();
    // Those that run go on: they were begun before there was a result.
    expect(on.supervisor.load).toMatchObject({ pending: 0, running: 7 });
    await on.cancelAll();
    await on.leavesNothing();
  });

  test('go on with one other where the one that runs is cancelled, or held', async () => {
    const on = bench();
    const first = await on.admit(call());
    const [second, third] = [await on.admit(call()), await on.admit(call())];
    await on.supervisor.cancel(first.executionId, 'no');
    await settle();
    expect([second.record.state, third.record.state]).toEqual(['running.attempting', 'pending.queued']);
    await on.supervisor.suspend(second.executionId);
    await settle();
    expect(third.record.state).toBe('running.attempting');
    on.runtime.calls.at(-1)?.complete();
    await settle();
    await on.supervisor.resume(second.executionId);
    await on.clock.advance(10);
    await runAll(on);
    expect(third.record.status).toBe('completed');
    await on.leavesNothing();
  });

  test('let go of one that is cancelled or held while it waits, or whose queue timeout comes', async () => {
    const on = bench();
    await on.admit(call());
    const cancelled = await on.admit(call());
    const held = await on.admit(call());
    const late = await on.admit(call('a', { timeouts: { totalMs: 300_000, queueMs: 1000 } }));
    await on.supervisor.cancel(cancelled.executionId, 'no');
    await on.supervisor.suspend(held.executionId);
    await on.clock.advance(1000);
    expect(cancelled.record.status).toBe('cancelled');
    expect(late.record.status).toBe('timedOut');
    on.runtime.call(0).complete();
    await settle();
    expect(held.record.state).toBe('pending.held');
    await on.supervisor.resume(held.executionId);
    await settle();
    expect(held.record).toMatchObject({ status: 'completed', cache: { use: 'hit' } });
    await on.leavesNothing();
  });

  test('of more than may be parked wait in the queue, and look again when they have a slot', async () => {
    const on = bench({ slots: 2, queueLimit: 5000, waiting: { live: 10 } });
    const definition: Partial<TaskDefinition> = { cache: { ttlMs } };
    const first = await on.start(definition);
    const task = { ...taskWith(definition), taskId: first.record.taskId };
    const key = { key: digest('a'), bypass: false };
    const leader = await on.admit({ mode: 'async', task, cache: key });
    const ids: string[] = [];
    for (let count = 0; count < 1100; count++) {
      ids.push(
        (await on.admit({ mode: 'async', task, cache: key, invocation: invocationWith() })).executionId,
      );
    }
    on.runtime.calls.find(({ attempt }) => attempt.executionId === leader.executionId)?.complete();
    await settle();
    await runAll(on);
    const records = await Promise.all(ids.map((id) => on.record(id)));
    expect(records.filter(({ status }) => status === 'completed')).toHaveLength(1100);
    expect(records.filter(({ attempt }) => attempt > 0)).toHaveLength(0);
    await on.leavesNothing();
  });

  test('lose none of them to a crash: those that waited run, and share, after it', async () => {
    const before = bench();
    const first = await before.start({ cache: { ttlMs } });
    const task = { ...taskWith({ cache: { ttlMs } }), taskId: first.record.taskId };
    const key = { key: digest('a'), bypass: false };
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      ids.push((await before.admit({ mode: 'async', task, cache: key })).executionId);
    }
    const after = crash(before, { cache: bounds, slots: 4 });
    await after.supervisor.recover();
    await settle();
    await runAll(after);
    const records = await Promise.all(ids.map((id) => after.record(id)));
    expect(records.map(({ status }) => status)).toEqual(['completed', 'completed', 'completed']);
    expect(records.filter(({ cache }) => cache?.use === 'shared').length).toBeGreaterThan(0);
    await after.leavesNothing();
  });
});
