/** What holds back executions besides slots, on a supervisor. */
import { describe, expect, test } from 'vitest';
import { settle } from '../support/fake-clock.ts';
import { invocationWith, requestWith, taskWith } from '../support/samples.ts';
import { crashBeside, inContainer } from './containers.ts';
import { crash, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const byUser = { concurrency: [{ key: 'metadata.user', limit: 1 }] };

const of = (user: string) => ({ metadata: { user } });

describe('a concurrency key', () => {
  test('lets one of a value run at a time, and those with another meanwhile', async () => {
    const bench = supervisorBench({ slots: 4 });
    const first = await bench.start(byUser, of('a'));
    const task = first.record.taskId;
    const shared = await taskOf(bench, task);
    const second = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const other = await bench.admit({ mode: 'async', task: shared, ...of('b') });
    expect([first, second, other].map(({ record }) => record.state)).toEqual([
      'running.attempting',
      'pending.queued',
      'running.attempting',
    ]);
    expect(await bench.supervisor.explain(second.executionId)).toMatchObject({
      summary:
        'It waits, place 1 of 1 in the queue: all that may run at a time with concurrency key metadata.user "a" do: the limit is 1.',
      heldBy: [first.executionId],
      gate: { kind: 'concurrency', key: 'metadata.user', value: 'a', limit: 1 },
    });
    bench.runtime.call(0).complete();
    await settle();
    expect(second.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('starts nothing before the admission is durable', async () => {
    const bench = supervisorBench();
    bench.watched.holdAnswers();
    const { cursor } = await bench.supervisor.admit(
      requestWith({ mode: 'async', task: taskWith(byUser), ...of('a') }),
    );
    await settle();
    expect(bench.runtime.calls).toHaveLength(0);
    bench.watched.release();
    await settle();
    expect(cursor.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('counts after a restart what still runs, and those that waited go on in their order', async () => {
    const before = supervisorBench({ slots: 4 });
    const first = await inContainer(before, { ...byUser, onInterrupt: 'reattachOrRerun' }, of('a'));
    const shared = await taskOf(before, (await before.record(first)).taskId);
    const second = await before.admit({ mode: 'async', task: shared, ...of('a') });
    const after = crashBeside(before, first, { slots: 4 });
    await after.supervisor.recover();
    await settle();
    const waits = await after.supervisor.attach(second.executionId, 'glance');
    expect(waits.record.state).toBe('pending.queued');
    await after.supervisor.cancel(first, 'over');
    await settle();
    expect(waits.record.state).toBe('running.attempting');
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('of a parameter tells executions apart by its value, also after a restart', async () => {
    const definition = { concurrency: [{ key: 'parameters.user', limit: 1 }] };
    const before = supervisorBench({ slots: 4 });
    const first = await before.start(definition, {
      invocation: invocationWith({ parameters: { user: 'a' } }),
    });
    const shared = await taskOf(before, first.record.taskId);
    for (const user of ['a', 'b']) {
      await before.admit({
        mode: 'async',
        task: shared,
        invocation: invocationWith({ parameters: { user } }),
      });
    }
    expect(before.supervisor.load.running).toBe(2);
    const after = crash(before, { slots: 4 });
    await after.supervisor.recover();
    await settle();
    expect(after.supervisor.load.running).toBe(2);
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('is shared by all tasks of a tenant that name it', async () => {
    const bench = supervisorBench({ slots: 4 });
    const license = { concurrency: [{ key: 'license', limit: 1 }] };
    await bench.start({ ...license, name: 'one' });
    const other = await bench.start({ ...license, name: 'other' });
    expect(other.record.state).toBe('pending.queued');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('that refuses does so while as many have not ended, and names key, value and limit', async () => {
    const bench = supervisorBench({ slots: 1 });
    const refusing = { concurrency: [{ key: 'metadata.user', limit: 2, whenFull: 'refuse' as const }] };
    const first = await bench.start(refusing, of('a'));
    const shared = await taskOf(bench, first.record.taskId);
    await bench.admit({ mode: 'async', task: shared, ...of('a') });
    await expect(bench.admit({ mode: 'async', task: shared, ...of('a') })).rejects.toMatchObject({
      kind: 'resource_exhausted',
      message:
        '2 executions with metadata.user "a" have not ended, allowed are 2 (concurrency, when_full: refuse)',
      reason: 'CONCURRENCY_FULL',
      quota: 'concurrency metadata.user',
    });
    await bench.admit({ mode: 'async', task: shared, ...of('b') });
    await bench.supervisor.cancel(first.executionId, 'over');
    await settle();
    await bench.admit({ mode: 'async', task: shared, ...of('a') });
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('counts by the limit of the newest revision, also for those of the one before', async () => {
    const bench = supervisorBench({ slots: 4 });
    const first = await bench.start(byUser, of('a'));
    const shared = await taskOf(bench, first.record.taskId);
    const second = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const third = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const definition = { ...shared.definition, concurrency: [{ key: 'metadata.user', limit: 2 }] };
    const fourth = await bench.admit({
      mode: 'async',
      task: { ...shared, revision: 2, definition },
      ...of('a'),
    });
    expect([first, second, third, fourth].map(({ record }) => record.state)).toEqual([
      'running.attempting',
      'running.attempting',
      'pending.queued',
      'pending.queued',
    ]);
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('of a new revision counts at once, before anybody invokes it', async () => {
    const bench = supervisorBench({ slots: 4 });
    const first = await bench.start(byUser, of('a'));
    const shared = await taskOf(bench, first.record.taskId);
    const second = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const concurrency = [{ key: 'metadata.user', limit: 2 }];
    bench.supervisor.limitsChanged({
      ...shared,
      revision: 2,
      definition: { ...shared.definition, concurrency },
    });
    await settle();
    expect(second.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});

describe('what waits in the store', () => {
  const waiting = { live: 1, ahead: 1, aheadOfLine: 1, rows: 1 };

  test('behind a key that is taken does not hold those with another, also after a restart', async () => {
    const before = supervisorBench({ slots: 2, waiting });
    const runs = await before.start(byUser, of('a'));
    const shared = await taskOf(before, runs.record.taskId);
    const held: string[] = [];
    for (let n = 0; n < 6; n++) {
      const cursor = await before.admit({ mode: 'async', task: shared, ...of('a') });
      held.push(cursor.executionId);
      cursor.close('done');
      await before.clock.advance(20);
    }
    expect(before.supervisor.passive).toBeGreaterThan(0);
    expect(await before.supervisor.explain(held.at(-1) ?? '')).toMatchObject({
      summary: expect.stringContaining('place 6 of 6 in the queue: all that may run at a time'),
      gate: { key: 'metadata.user', value: 'a', limit: 1 },
      heldBy: [runs.executionId],
    });
    const other = await before.admit({ mode: 'async', task: shared, ...of('b') });
    expect(other.record.state).toBe('running.attempting');
    const after = crash(before, { slots: 2, waiting });
    await after.supervisor.recover();
    await settle();
    expect(after.supervisor.load.running).toBe(2);
    const order: string[] = [];
    for (let n = 0; after.runtime.running > 0 && n < 20; n++) {
      const call = after.runtime.calls.findLast((each) => !each.over);
      order.push(call?.attempt.executionId ?? '');
      const sharing = after.runtime.calls.filter(
        (each) => !each.over && each.attempt.executionId !== other.executionId,
      );
      expect(sharing.length).toBeLessThanOrEqual(1);
      call?.complete();
      await after.clock.advance(20);
    }
    expect(order.filter((id) => held.includes(id))).toEqual(held);
    await after.leavesNothing();
  });
});

describe('a key whose newest takes the place of the others', () => {
  const last = { concurrency: [{ key: 'metadata.user', limit: 1, whenFull: 'replacePending' as const }] };

  test('leaves of those that wait the newest alone, and lets what runs run on', async () => {
    const bench = supervisorBench({ slots: 4 });
    const runs = await bench.start(last, of('a'));
    const shared = await taskOf(bench, runs.record.taskId);
    const other = await bench.admit({ mode: 'async', task: shared, ...of('b') });
    const replaced = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const newest = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    expect(replaced.record.outcome).toMatchObject({
      status: 'cancelled',
      code: 'CANCELLED',
      message: `cancelled: SUPERSEDED: ${newest.executionId} is newer, and takes its place (concurrency metadata.user)`,
    });
    expect([runs, other, newest].map(({ record }) => record.state)).toEqual([
      'running.attempting',
      'running.attempting',
      'pending.queued',
    ]);
    bench.runtime.call(0).complete();
    await settle();
    expect(newest.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('is admitted in the commit in which the others end', async () => {
    const bench = supervisorBench({ slots: 4 });
    const runs = await bench.start(last, of('a'));
    const shared = await taskOf(bench, runs.record.taskId);
    const replaced = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const before = bench.watched.commits.length;
    const newest = await bench.admit({ mode: 'async', task: shared, ...of('a') });
    const [commit = []] = bench.watched.commits.slice(before);
    expect(commit.map(({ record }) => record?.executionId).sort()).toEqual(
      [replaced.executionId, newest.executionId].sort(),
    );
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('also ends the oldest that runs, once it is durable, and a still newer one replaces it while that stops', async () => {
    const bench = supervisorBench({ slots: 4 });
    const latest = { concurrency: [{ key: 'task', limit: 1, whenFull: 'cancelRunning' as const }] };
    const runs = await bench.start(latest);
    const shared = await taskOf(bench, runs.record.taskId);
    bench.runtime.call(0).stopsAfterMs = 500;
    bench.watched.holdAnswers();
    const second = await bench.admit({ mode: 'async', task: shared });
    expect(runs.record.state).toBe('running.attempting');
    bench.watched.release();
    await settle();
    expect([runs, second].map(({ record }) => record.state)).toEqual(['running.stopping', 'pending.queued']);
    const third = await bench.admit({ mode: 'async', task: shared });
    expect(second.record.outcome).toMatchObject({ code: 'CANCELLED' });
    await bench.clock.advance(500);
    expect(runs.record.outcome).toMatchObject({
      code: 'CANCELLED',
      message: expect.stringContaining(`SUPERSEDED: ${second.executionId}`),
    });
    expect(third.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});

describe('the quota of a tenant', () => {
  test('lets so many of it run and says so of those that wait, and one that is raised lets them go', async () => {
    const bench = supervisorBench({ slots: 4 });
    await bench.supervisor.quotas.set('default', { running: 1 });
    const first = await bench.start();
    const second = await bench.start();
    expect([first, second].map(({ record }) => record.state)).toEqual([
      'running.attempting',
      'pending.queued',
    ]);
    expect(await bench.supervisor.explain(second.executionId)).toMatchObject({
      summary: expect.stringContaining('all that its tenant may have running are: the limit is 1'),
      gate: { kind: 'quota', key: 'tenant', value: 'default', limit: 1 },
      heldBy: [first.executionId],
    });
    await bench.supervisor.quotas.set('default', { running: 2 });
    await settle();
    expect(second.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('holds after a restart what is to run beyond it, also without a limit of its task', async () => {
    const before = supervisorBench({ slots: 4 });
    await before.supervisor.quotas.set('default', { running: 1 });
    await before.start();
    await before.start();
    const after = crash(before, { slots: 4 });
    await after.supervisor.recover();
    await settle();
    expect(after.supervisor.load).toMatchObject({ running: 1, live: 2 });
    await after.cancelAll();
    await after.leavesNothing();
  });

  test('starts nothing before the admission is durable', async () => {
    const bench = supervisorBench();
    await bench.supervisor.quotas.set('default', { running: 1 });
    bench.watched.holdAnswers();
    await bench.supervisor.admit(requestWith({ mode: 'async' }));
    await settle();
    expect(bench.runtime.calls).toHaveLength(0);
    bench.watched.release();
    await settle();
    expect(bench.runtime.calls).toHaveLength(1);
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});

describe('a rate', () => {
  test('starts one each time there is a token, without anything else happening', async () => {
    const bench = supervisorBench({ slots: 4 });
    const limited = { rate: [{ key: 'task', units: 1, perMs: 1000 }] };
    const first = await bench.start(limited);
    const shared = await taskOf(bench, first.record.taskId);
    const second = await bench.admit({ mode: 'async', task: shared });
    // It begins without tokens, so that a restart never lets more start than the rate.
    expect(first.record.state).toBe('pending.queued');
    expect(await bench.supervisor.explain(first.executionId)).toMatchObject({
      summary: expect.stringContaining('the rate of task "echo" is used up: 1 in 1 s, at most 1 at once'),
      gate: { kind: 'rate', key: 'task', limit: 1, perMs: 1000, burst: 1 },
      goesOnAt: bench.clock.now() + 1000,
    });
    await bench.clock.advance(1000);
    expect([first, second].map(({ record }) => record.state)).toEqual([
      'running.attempting',
      'pending.queued',
    ]);
    await bench.clock.advance(1000);
    expect(second.record.state).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });
});

async function taskOf(bench: SupervisorBench, taskId: string) {
  const task = await bench.store.taskRevision(taskId, 1);
  if (task === undefined) throw new Error(`${taskId} is not in the store`);
  return task;
}
