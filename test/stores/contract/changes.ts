import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import { bytesOf, chunk, executionId, recordOf, result, shortLog, taskOf, transition } from '../samples.ts';
import { a, appending, b } from './entries.ts';

export function changeContract(open: () => Promise<Store>): void {
  test('what changed since a position is each execution once, the one whose commit it is in included', async () => {
    const store = await open();
    expect(await store.changedSince(1, 10)).toEqual([]);
    const [first] = await store.commit([appending(a, 0, [transition(1, '', 'pending.queued')])]);
    const [second] = await store.commit([appending(b, 0, shortLog())]);
    const [third] = await store.commit([
      appending(a, 1, [transition(2, 'pending.queued', 'running'), chunk(3, bytesOf(9)), result(4)]),
    ]);
    const position = (of: typeof first): number => (of?.ok === true ? of.position : Number.NaN);
    const last = position(third) + 2;
    expect(await store.changedSince(position(first), 10)).toEqual([a, b]);
    expect(await store.changedSince(position(second) + 1, 10)).toEqual([b, a]);
    expect(await store.changedSince(last, 10)).toEqual([a]);
    expect(await store.changedSince(last + 1, 10)).toEqual([]);
    expect(await store.lastPosition()).toBe(last);
  });

  test('more than it may look at is not told at all', async () => {
    const store = await open();
    const ids = [1, 2, 3].map(executionId);
    for (const id of ids) await store.commit([appending(id, 0, [transition(1, '', 'pending.queued')])]);
    expect(await store.changedSince(0, 3)).toEqual(ids);
    expect(await store.changedSince(0, 2)).toBeUndefined();
  });

  test('what is staged has not changed yet', async () => {
    const store = await open();
    await store.stage(a, shortLog());
    expect(await store.changedSince(0, 10)).toEqual([]);
  });

  test('executions are counted by status as their records say it, and tasks by their names', async () => {
    const store = await open();
    const none = { pending: 0, running: 0, completed: 0, failed: 0, cancelled: 0, timedOut: 0 };
    expect(await store.counts()).toEqual({ executions: none, tasks: 0 });
    expect(await store.lastPosition()).toBe(0);
    const statuses = ['completed', 'completed', 'running', 'failed', 'timedOut', 'completed'] as const;
    await store.commit(
      statuses.map((status, index) => {
        const id = executionId(index + 1);
        return { ...appending(id, 0, shortLog()), record: recordOf(id, status) };
      }),
    );
    await store.saveTask(taskOf('task_1', 1, 'echo'));
    const counts = { ...none, completed: 3, running: 1, failed: 1, timedOut: 1 };
    expect(await store.counts()).toEqual({ executions: counts, tasks: 1 });
    await store.delete(executionId(1));
    await store.deleteTask('task_1');
    expect(await store.counts()).toEqual({ executions: { ...counts, completed: 2 }, tasks: 0 });
  });
}
