import { expect, test } from 'vitest';
import type { Dependency } from '../../../src/domain/dependency.ts';
import type { ExecutionRecord, Outcome } from '../../../src/domain/execution.ts';
import type { CommitEntry, Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';
import { appending, ended } from './entries.ts';

/** One that follows others and waits for them. */
function following(
  number: number,
  dependsOn: readonly Dependency[],
  more: Partial<ExecutionRecord> = {},
): CommitEntry {
  const id = executionId(number);
  const record = recordOf(id, 'pending', { dependsOn, blocked: true, lastSequence: 3, ...more });
  return { ...appending(id, 0, shortLog()), record };
}

function running(number: number): CommitEntry {
  const id = executionId(number);
  return { ...appending(id, 0, shortLog()), record: recordOf(id, 'running') };
}

const outcomes: Readonly<Record<string, Outcome>> = {
  completed: { status: 'completed' },
  failed: { status: 'failed', code: 'FUNCTION_EXIT', message: 'exit 1' },
  moved: { status: 'failed', code: 'MOVED', message: 'moved' },
};

function ending(number: number, how: string, more: Partial<ExecutionRecord> = {}): CommitEntry {
  const id = executionId(number);
  const outcome = outcomes[how];
  const status = outcome?.status ?? 'completed';
  const record = recordOf(id, status, { lastSequence: 3, completedAt: 7, ...more });
  return { ...appending(id, 3, []), record: { ...record, ...(outcome !== undefined && { outcome }) } };
}

const on = (number: number, more: Partial<Dependency> = {}): Dependency => ({
  executionId: executionId(number),
  ...more,
});

export function dependenciesContract(open: () => Promise<Store>): void {
  test('what follows others is released with the end of the last of them', async () => {
    const store = await open();
    expect(await store.hasDependencies()).toBe(false);
    await store.commit([running(1), running(2), following(3, [on(1), on(2)])]);
    expect(await store.hasDependencies()).toBe(true);
    expect(await store.blocked(executionId(3))).toEqual({ open: 2 });
    await store.commit([ending(1, 'completed')]);
    expect(await store.blocked(executionId(3))).toEqual({ open: 1 });
    expect(await store.released('', 10)).toEqual([]);
    await store.commit([ending(2, 'completed')]);
    expect(await store.blocked(executionId(3))).toEqual({ open: 0 });
    expect(await store.released('', 10)).toEqual([executionId(3)]);
    expect(await store.released(executionId(3), 10)).toEqual([]);
  });

  test('what goes on is released no more, and what is not blocked never is', async () => {
    const store = await open();
    await store.commit([ended(1, 7), following(2, [on(1)]), following(3, [on(1)], { blocked: false })]);
    expect(await store.released('', 10)).toEqual([executionId(2)]);
    expect(await store.blocked(executionId(3))).toBeUndefined();
    const goesOn = recordOf(executionId(2), 'pending', { dependsOn: [on(1)], blocked: false });
    await store.commit([{ ...appending(executionId(2), 3, []), record: goesOn }]);
    expect(await store.released('', 10)).toEqual([]);
    expect(await store.blocked(executionId(2))).toBeUndefined();
  });

  test.each([
    ['completed', {}, false],
    ['failed', {}, true],
    ['moved', {}, true],
    ['failed', { condition: 'ended' }, false],
    ['moved', { condition: 'ended' }, true],
    ['failed', { onFailure: 'runAnyway' }, false],
    ['moved', { condition: 'ended', onFailure: 'runAnyway' }, false],
  ] as const)('one that has %s fails what follows it with %j: %s', async (how, policy, fails) => {
    const store = await open();
    await store.commit([running(1), running(2), following(3, [on(1, policy), on(2)])]);
    await store.commit([ending(1, how)]);
    expect(await store.blocked(executionId(3))).toEqual({
      open: 1,
      ...(fails && { failedBy: executionId(1) }),
    });
    // Whatever else it waits for, it fails.
    expect(await store.released('', 10)).toEqual(fails ? [executionId(3)] : []);
  });

  test('an end that was there before counts as one that comes', async () => {
    const store = await open();
    await store.commit([running(1), running(2)]);
    await store.commit([ending(1, 'failed'), ending(2, 'completed')]);
    await store.commit([
      following(3, [on(1)]),
      following(4, [on(1, { condition: 'ended' }), on(2)]),
      following(5, [on(2), on(4)]),
    ]);
    expect(await store.blocked(executionId(3))).toEqual({ open: 0, failedBy: executionId(1) });
    expect(await store.blocked(executionId(4))).toEqual({ open: 0 });
    expect(await store.blocked(executionId(5))).toEqual({ open: 1 });
    expect(await store.released('', 1)).toEqual([executionId(3)]);
    expect(await store.released(executionId(3), 10)).toEqual([executionId(4)]);
  });

  test('what follows one that is not there is refused, and nothing of it is written', async () => {
    const store = await open();
    const results = await store.commit([running(1), following(2, [on(1), on(9)])]);
    expect(results).toMatchObject([
      { ok: true },
      { ok: false, conflict: 'dependency', executionId: executionId(9) },
    ]);
    expect(await store.execution(executionId(2))).toBeUndefined();
    expect(await store.blocked(executionId(2))).toBeUndefined();
    expect(await store.dependants(executionId(1), '', 10)).toEqual([]);
  });

  test('what is followed is neither deleted nor let go of by retention until who follows it has ended', async () => {
    const store = await open();
    await store.commit([ended(1, 7), ended(2, 7), following(3, [on(1)], { blocked: false, createdAt: 3 })]);
    expect(await store.delete(executionId(1))).toBe(false);
    const all = { endedBefore: 1000, maxBytes: Number.POSITIVE_INFINITY, now: 0, unusedForMs: 1 };
    const first = await store.retain(all);
    expect(first.deletedExecutions.map((gone) => gone.executionId)).toEqual([executionId(2)]);
    const small = await store.retain({ ...all, endedBefore: 0, maxBytes: 0 });
    expect(small.deletedLogs).toBe(0);
    expect((await store.events(executionId(1), { from: 1, maxBytes: 1000 })).length).toBeGreaterThan(1);
    await store.commit([ending(3, 'completed', { dependsOn: [on(1)], blocked: false, createdAt: 3 })]);
    expect(await store.hasDependencies()).toBe(false);
    expect(await store.delete(executionId(1))).toBe(true);
  });

  test('those that follow one are found in pages, also when they have ended', async () => {
    const store = await open();
    await store.commit([running(1), following(2, [on(1)]), following(3, [on(1)]), following(4, [on(2)])]);
    await store.commit([ending(2, 'failed', { dependsOn: [on(1)] })]);
    expect(await store.dependants(executionId(1), '', 1)).toEqual([executionId(2)]);
    expect(await store.dependants(executionId(1), executionId(2), 10)).toEqual([executionId(3)]);
    expect(await store.blocked(executionId(2))).toBeUndefined();
  });
}
