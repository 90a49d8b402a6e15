import { expect, test } from 'vitest';
import { emptyInvocation } from '../../../src/stores/invocation.ts';
import type { Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog, taskOf } from '../samples.ts';

export function tenantContract(open: () => Promise<Store>): void {
  const finished = (number: number, tenant: string, more: Parameters<typeof recordOf>[2] = {}) => ({
    executionId: executionId(number),
    expectedLastSequence: 0,
    events: shortLog(),
    record: recordOf(executionId(number), 'completed', { tenant, ...more }),
  });

  test('an invocation id belongs to an execution of each tenant, and goes with that one alone', async () => {
    const store = await open();
    const claims = { claimInvocationId: 'key' };
    expect(
      await store.commit([
        { ...finished(1, 'a'), ...claims },
        { ...finished(2, 'b'), ...claims },
        { ...finished(3, 'b'), ...claims },
      ]),
    ).toMatchObject([{ ok: true }, { ok: true }, { ok: false, executionId: executionId(2) }]);
    expect((await store.executionByInvocation('a', 'key'))?.executionId).toBe(executionId(1));
    expect((await store.executionByInvocation('b', 'key'))?.executionId).toBe(executionId(2));
    expect(await store.executionByInvocation('default', 'key')).toBeUndefined();
    await store.delete(executionId(1));
    expect(await store.executionByInvocation('a', 'key')).toBeUndefined();
    expect(await store.executionByInvocation('b', 'key')).toBeDefined();
  });

  test('executions are listed and counted by tenant, in any status and by labels, and of all tenants', async () => {
    const store = await open();
    const labels = { team: 'x' };
    await store.commit([
      finished(1, 'a', { labels }),
      finished(2, 'b', { labels }),
      { ...finished(3, 'a'), record: recordOf(executionId(3), 'running', { tenant: 'a', labels }) },
      finished(4, 'b', { taskName: 'other', taskId: 'task_2' }),
    ]);
    const ids = async (filter: object) =>
      (await store.executions({ statuses: [], limit: 10, ...filter })).map(({ executionId: id }) =>
        Number(id.slice(5)),
      );
    expect(await ids({ tenant: 'a' })).toEqual([3, 1]);
    expect(await ids({ tenant: 'b', beforeId: executionId(4) })).toEqual([2]);
    expect(await ids({ tenant: 'a', statuses: ['running', 'failed'] })).toEqual([3]);
    expect(await ids({ tenant: 'b', statuses: ['running'] })).toEqual([]);
    expect(await ids({ tenant: 'b', labels })).toEqual([2]);
    expect(await ids({ labels })).toEqual([3, 2, 1]);
    expect(await ids({ tenant: 'c' })).toEqual([]);
    expect((await store.counts({ tenant: 'a' })).executions).toMatchObject({ completed: 1, running: 1 });
    expect((await store.counts({ tenant: 'b' })).executions).toMatchObject({ completed: 2, running: 0 });
    expect((await store.counts({ tenant: 'b', tasks: ['ot*'] })).executions.completed).toBe(1);
    expect((await store.counts({ tenant: 'a', tasks: ['e?ho'] })).executions).toMatchObject({
      completed: 1,
      running: 1,
    });
    expect((await store.counts()).executions).toMatchObject({ completed: 3, running: 1 });
  });

  test('a name is a task of each tenant, and an artifact is whose tasks run it', async () => {
    const store = await open();
    const artifact = (digit: string) => ({ kind: 'wasm', sha256: digit.repeat(64), sizeBytes: 1 }) as const;
    const ofTenant = (tenant: string, digit: string) => ({
      ...taskOf(`task_${tenant}`, 1, 'echo', { artifact: artifact(digit), labels: { team: 'x' } }),
      tenant,
    });
    await store.saveTask(ofTenant('a', '1'));
    await store.saveTask(ofTenant('b', '2'));
    await store.saveTask(taskOf('task_default', 1, 'echo'));
    for (const tenant of ['a', 'b', 'default']) {
      expect((await store.taskByName(tenant, 'echo'))?.taskId).toBe(`task_${tenant}`);
      expect((await store.tasks(tenant, '', 10)).map(({ taskId }) => taskId)).toEqual([`task_${tenant}`]);
      expect((await store.counts({ tenant })).tasks).toBe(1);
    }
    expect((await store.tasks('b', '', 10, { team: 'x' })).map(({ taskId }) => taskId)).toEqual(['task_b']);
    expect(await store.taskTenants()).toEqual(['a', 'b', 'default']);
    expect((await store.counts({ tenant: 'a', tasks: ['x*'] })).tasks).toBe(0);
    await store.deleteTask('task_a');
    expect(await store.taskByName('a', 'echo')).toBeUndefined();
    expect(await store.taskByName('b', 'echo')).toBeDefined();
    expect(await store.taskTenants()).toEqual(['b', 'default']);
    expect(await store.hasArtifact('a', '1'.repeat(64))).toBe(true);
    expect(await store.hasArtifact('b', '1'.repeat(64))).toBe(false);
    expect(await store.hasArtifact('default', 'a'.repeat(64))).toBe(true);
  });

  test('what is retained or deleted says whose it was', async () => {
    const store = await open();
    await store.commit([finished(1, 'a', { createdAt: 1, completedAt: 2, taskName: 'gone' })]);
    const times = { maxBytes: Number.MAX_SAFE_INTEGER, now: 1e12, unusedForMs: Number.MAX_SAFE_INTEGER };
    const { deletedExecutions } = await store.retain({ ...times, endedBefore: 10 });
    expect(deletedExecutions).toEqual([{ executionId: executionId(1), tenant: 'a', taskName: 'gone' }]);
  });

  test('quotas are kept by tenant, changed and taken away', async () => {
    const store = await open();
    expect(await store.quotas()).toEqual([]);
    await store.saveQuota('b', { weight: 2 });
    await store.saveQuota('a', { running: 0, pending: 5 });
    await store.saveQuota('b', { weight: 3, running: 1 });
    expect(await store.quotas()).toEqual([
      { tenant: 'a', quota: { running: 0, pending: 5 } },
      { tenant: 'b', quota: { weight: 3, running: 1 } },
    ]);
    await store.saveQuota('a', undefined);
    await store.saveQuota('none', undefined);
    expect(await store.quotas()).toEqual([{ tenant: 'b', quota: { weight: 3, running: 1 } }]);
  });

  test('what a tenant keeps is counted page by page: records, output, inputs of any size, and artifacts', async () => {
    const store = await open();
    const count = async (tenant: string): Promise<number> => {
      let bytes = 0;
      for (let after: string | undefined = ''; after !== undefined; ) {
        const page: { bytes: number; last: string | undefined } = await store.storedBytes(tenant, after, 2);
        bytes += page.bytes;
        after = page.last;
      }
      return bytes;
    };
    expect(await count('a')).toBe(0);
    await store.commit([1, 2, 3, 4].map((number) => finished(number, number === 4 ? 'b' : 'a')));
    const small = await count('a');
    expect(small).toBeGreaterThan(3 * 300);
    expect(small).toBeLessThan(3 * 3000);
    const large = { ...emptyInvocation(), input: new Uint8Array(300_000) };
    await store.commit([{ ...finished(5, 'a', { outputBytes: 50_000 }), input: large }]);
    const artifact = { kind: 'wasm', sha256: '1'.repeat(64), sizeBytes: 7_000_000 } as const;
    await store.saveTask({ ...taskOf('task_a', 1, 'echo', { artifact }), tenant: 'a' });
    await store.saveTask({ ...taskOf('task_a', 2, 'echo', { artifact }), tenant: 'a' });
    const all = await count('a');
    expect(all - small).toBeGreaterThan(7_350_000);
    expect(all - small).toBeLessThan(7_355_000);
    await store.delete(executionId(5));
    expect(await count('a')).toBe(small + 7_000_000);
    expect(await count('b')).toBeLessThan(small);
  });
}
