/** A task of which too many attempts fail is held, on a supervisor. */
import { describe, expect, test } from 'vitest';
import { functionIdentity } from '../../src/actors/function-identity.ts';
import type { RestartIntensity, Task, TaskDefinition } from '../../src/domain/task.ts';
import type { TaskQuarantine } from '../../src/domain/tasks.ts';
import { settle } from '../support/fake-clock.ts';
import { noRetry, requestWith, taskWith } from '../support/samples.ts';
import { crash, type SupervisorBench, supervisorBench } from './supervisor-bench.ts';

const intensity: RestartIntensity = { failures: 1, withinMs: 1000 };

function fragile(more: Partial<TaskDefinition> = {}, restartIntensity = intensity): Task {
  return { ...taskWith({ restartIntensity, ...more }), taskId: 'task_fragile' };
}

/** Two of it have failed. */
async function quarantined(
  task = fragile(),
  bench = supervisorBench({ slots: 4 }),
): Promise<SupervisorBench> {
  for (let n = 0; n < 2; n++) {
    await bench.admit({ mode: 'async', task });
    bench.runtime.calls.at(-1)?.fail('TRAP', 'unreachable');
    await settle();
  }
  return bench;
}

const stateOf = async (bench: SupervisorBench, executionId: string) =>
  (await bench.supervisor.record(executionId))?.state;

describe('a task past its restart intensity', () => {
  test('waits, lets one try after its time, and goes on when that completes', async () => {
    const bench = await quarantined();
    const task = fragile();
    const [first, second] = [
      await bench.admit({ mode: 'async', task }),
      await bench.admit({ mode: 'async', task }),
    ];
    expect(bench.runtime.calls).toHaveLength(2);
    expect(bench.supervisor.quarantines.of(task)).toEqual({
      ...{ failures: 2, failedProbes: 0, lastError: 'TRAP: unreachable' },
      ...{ since: bench.clock.now(), nextProbeAt: bench.clock.now() + 1000 },
    });
    const why = await bench.supervisor.explain(second.executionId);
    expect(why).toMatchObject({
      gate: { kind: 'quarantine', key: 'task', limit: 1, perMs: 1000, opensAt: bench.clock.now() + 1000 },
      summary:
        'It waits, place 2 of 2 in the queue: echo is quarantined: 2 of its attempts failed within 1 s, the last with TRAP.',
    });
    expect(why.details).toContainEqual(
      'the first of them may try in 1 s, and the others follow when it completes; `spear task reset echo` lets all go at once',
    );
    await bench.clock.advance(1000);
    expect(await stateOf(bench, first.executionId)).toBe('running.attempting');
    expect(await stateOf(bench, second.executionId)).toBe('pending.queued');
    expect((await bench.supervisor.explain(second.executionId)).heldBy).toEqual([first.executionId]);
    bench.runtime.call(2).complete();
    await settle();
    expect(await stateOf(bench, second.executionId)).toBe('running.attempting');
    expect(bench.supervisor.quarantines.of(task)).toBeUndefined();
    bench.runtime.call(3).complete();
    await bench.leavesNothing();
  });

  test('is told when it begins and when it ends, and not in between', async () => {
    const told: string[] = [];
    const listener = {
      storeHealth: () => {},
      bug: (error: unknown) => expect.unreachable(String(error)),
      quarantine: (task: Task, held?: TaskQuarantine) =>
        told.push(`${task.definition.name} ${held?.lastError ?? 'ends'}`),
    };
    const bench = await quarantined(fragile(), supervisorBench({ slots: 4, listener }));
    expect(told).toEqual(['echo TRAP: unreachable']);
    for (let n = 0; n < 2; n++) await bench.admit({ mode: 'async', task: fragile() });
    await bench.clock.advance(1000);
    bench.runtime.call(2).fail('TRAP');
    await bench.clock.advance(2000);
    expect(told).toHaveLength(1);
    bench.runtime.call(3).complete();
    await settle();
    expect(told).toEqual(['echo TRAP: unreachable', 'echo ends']);
    await bench.supervisor.quarantines.reset(fragile());
    expect(told).toHaveLength(2);
    await bench.leavesNothing();
  });

  test('waits twice as long after one that tried and failed', async () => {
    const bench = await quarantined();
    for (let n = 0; n < 2; n++) await bench.admit({ mode: 'async', task: fragile() });
    await bench.clock.advance(1000);
    bench.runtime.call(2).fail('TRAP');
    await bench.clock.advance(1999);
    expect(bench.runtime.calls).toHaveLength(3);
    expect(bench.supervisor.quarantines.of(fragile())).toMatchObject({ failedProbes: 1, failures: 2 });
    await bench.clock.advance(1);
    expect(bench.runtime.calls).toHaveLength(4);
    bench.runtime.call(3).complete();
    await bench.leavesNothing();
  });

  test('goes on at once when it is reset', async () => {
    const bench = await quarantined();
    const { executionId } = await bench.admit({ mode: 'async', task: fragile() });
    expect(await bench.supervisor.quarantines.reset(fragile())).toBe(true);
    await settle();
    expect(await stateOf(bench, executionId)).toBe('running.attempting');
    expect(await bench.supervisor.quarantines.reset(fragile())).toBe(false);
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('goes on at once when it has no restart intensity any more', async () => {
    const bench = await quarantined();
    const { executionId } = await bench.admit({ mode: 'async', task: fragile() });
    const { restartIntensity: _none, ...definition } = fragile().definition;
    bench.supervisor.limitsChanged({ ...fragile(), revision: 2, definition });
    await settle();
    expect(await stateOf(bench, executionId)).toBe('running.attempting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('that refuses takes one that may try, and no more until that has completed', async () => {
    const task = fragile({}, { ...intensity, whenQuarantined: 'refuse' });
    const bench = await quarantined(task);
    const refused = { kind: 'unavailable', reason: 'TASK_QUARANTINED' };
    await expect(bench.admit({ task })).rejects.toMatchObject({ ...refused, retryAfterMs: 1000 });
    await expect(bench.supervisor.rehearse(requestWith({ task }))).rejects.toMatchObject(refused);
    await bench.clock.advance(1000);
    await bench.admit({ mode: 'async', task });
    expect(bench.runtime.calls).toHaveLength(3);
    await expect(bench.admit({ task })).rejects.toMatchObject(refused);
    bench.runtime.call(2).complete();
    await settle();
    await bench.admit({ mode: 'async', task });
    bench.runtime.call(3).complete();
    await bench.leavesNothing();
  });

  test('that refuses takes none that is to start later, also while one may try', async () => {
    const task = fragile({}, { ...intensity, whenQuarantined: 'refuse' });
    const bench = await quarantined(task);
    const later = { mode: 'async', task, startAfterMs: 60_000 } as const;
    const refused = { kind: 'unavailable', reason: 'TASK_QUARANTINED' };
    await expect(bench.admit(later)).rejects.toMatchObject(refused);
    await bench.clock.advance(1000);
    await expect(bench.admit(later)).rejects.toMatchObject({ ...refused, retryAfterMs: 1000 });
    await expect(bench.supervisor.rehearse(requestWith(later))).rejects.toMatchObject(refused);
    await bench.admit({ mode: 'async', task });
    bench.runtime.call(2).complete();
    await settle();
    const { executionId } = await bench.admit(later);
    expect(await stateOf(bench, executionId)).toBe('pending.waiting');
    await bench.cancelAll();
    await bench.leavesNothing();
  });

  test('of another function is not held by what its former one did', async () => {
    const bench = await quarantined();
    const mended = { ...fragile({ args: ['mended'] }), revision: 2 };
    await bench.admit({ mode: 'async', task: mended });
    expect(bench.runtime.calls).toHaveLength(3);
    expect(bench.supervisor.quarantines.of(mended)).toBeUndefined();
    bench.runtime.call(2).complete();
    await bench.leavesNothing();
  });

  test('holds retries, too', async () => {
    const task = fragile({ retry: { ...noRetry, maxAttempts: 3, initialMs: 1 } });
    const bench = supervisorBench({ slots: 4 });
    const { executionId } = await bench.admit({ mode: 'async', task });
    for (let n = 0; n < 2; n++) {
      bench.runtime.call(n).fail('TRAP');
      await bench.clock.advance(10);
    }
    expect(bench.runtime.calls).toHaveLength(2);
    expect((await bench.supervisor.explain(executionId)).summary).toContain('echo is quarantined');
    await bench.clock.advance(1000);
    bench.runtime.call(2).complete();
    await bench.leavesNothing();
  });

  test('begins anew with the node', async () => {
    const before = await quarantined();
    const task = fragile();
    await before.store.saveRevision(task);
    await before.admit({ mode: 'async', task });
    expect(before.runtime.calls).toHaveLength(2);
    const after = crash(before, { slots: 4 });
    await after.supervisor.recover();
    await settle();
    expect(after.runtime.calls).toHaveLength(1);
    expect(after.supervisor.quarantines.of(task)).toBeUndefined();
    await after.cancelAll();
    await after.leavesNothing();
  });
});

describe('what says nothing of the function', () => {
  test('quarantines no task: a cancel, an instance that was lost, an end of the queue timeout', async () => {
    const bench = supervisorBench({ slots: 4 });
    const task = fragile();
    for (let n = 0; n < 3; n++) {
      await bench.admit({ mode: 'async', task });
      bench.runtime.call(n).fail('INSTANCE_LOST');
    }
    await settle();
    for (let n = 0; n < 3; n++) await bench.admit({ mode: 'async', task });
    await bench.cancelAll();
    expect(bench.supervisor.quarantines.of(task)).toBeUndefined();
    await bench.leavesNothing();
  });

  test('nor does the end of a shorter time that its caller has chosen, of an attempt or in all', async () => {
    const bench = supervisorBench({ slots: 4 });
    const task = fragile({ timeouts: { attemptMs: 5000, totalMs: 9000 } });
    for (let n = 0; n < 2; n++) {
      await bench.admit({ mode: 'async', task, timeouts: { totalMs: 9000, attemptMs: 50 } });
      await bench.admit({ mode: 'async', task, timeouts: { totalMs: 50, attemptMs: 5000 } });
    }
    await bench.clock.advance(60);
    await settle();
    expect(bench.runtime.calls).toHaveLength(4);
    expect(bench.supervisor.quarantines.of(task)).toBeUndefined();
    await bench.leavesNothing();
  });

  test('and a timeout of an attempt says much', async () => {
    const bench = supervisorBench({ slots: 4 });
    const task = fragile({ timeouts: { attemptMs: 50 } });
    for (let n = 0; n < 2; n++)
      await bench.admit({ mode: 'async', task, timeouts: { totalMs: 9000, attemptMs: 50 } });
    await bench.clock.advance(60);
    await settle();
    expect(bench.supervisor.quarantines.of(task)?.lastError).toContain(
      'ATTEMPT_TIMEOUT: attempt 1 was not over',
    );
    await bench.leavesNothing();
  });
});

test('a function is the same whatever an update changes of its task, and another with other arguments', () => {
  const { definition } = fragile();
  const changed = { ...definition, priority: 'high', rate: [], labels: { a: 'b' } } as const;
  expect(functionIdentity({ ...changed, restartIntensity: { failures: 9, withinMs: 1 } })).toBe(
    functionIdentity(definition),
  );
  expect(functionIdentity({ ...definition, args: ['x'] })).not.toBe(functionIdentity(definition));
});
