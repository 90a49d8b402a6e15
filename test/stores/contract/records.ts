import { expect, test } from 'vitest';
import type { ExecutionFilter, Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog } from '../samples.ts';
import { appending } from './entries.ts';

export function recordContract(open: () => Promise<Store>): void {
  const none: ExecutionFilter = { statuses: [], limit: 100 };

  async function filled(): Promise<{
    store: Store;
    ids: (filter: Partial<ExecutionFilter>) => Promise<number[]>;
  }> {
    const store = await open();
    const statuses = ['pending', 'running', 'completed', 'failed', 'cancelled', 'timedOut'] as const;
    const numbers = Array.from({ length: 24 }, (_, index) => index + 1);
    await store.commit(
      numbers.map((number) => {
        const id = executionId(number);
        const status = statuses[number % 6] ?? 'pending';
        const more = {
          createdAt: 1000 + number,
          taskId: number % 4 === 0 ? 'task_x' : 'task_y',
          ...(number % 2 === 0 && { labels: { team: 'a', ...(number % 3 === 0 && { 'x.org/note': '' }) } }),
        };
        return { ...appending(id, 0, shortLog()), record: recordOf(id, status, more) };
      }),
    );
    const ids = async (filter: Partial<ExecutionFilter>) =>
      (await store.executions({ ...none, ...filter })).map((record) => Number(record.executionId.slice(5)));
    return { store, ids };
  }

  test('executions are listed newest first, in pages', async () => {
    const { ids } = await filled();
    expect(await ids({ limit: 3 })).toEqual([24, 23, 22]);
    expect(await ids({ limit: 3, beforeId: executionId(22) })).toEqual([21, 20, 19]);
    expect(await ids({ beforeId: executionId(1) })).toEqual([]);
    expect(await ids({ limit: 0 })).toEqual([]);
  });

  test('every filter, alone and with others, lists what it says', async () => {
    const { ids } = await filled();
    expect(await ids({ taskId: 'task_x' })).toEqual([24, 20, 16, 12, 8, 4]);
    expect(await ids({ taskId: 'task_x', beforeId: executionId(20), limit: 2 })).toEqual([16, 12]);
    expect(await ids({ taskId: 'task_z' })).toEqual([]);
    expect(await ids({ statuses: ['completed'] })).toEqual([20, 14, 8, 2]);
    expect(await ids({ statuses: ['failed'], limit: 2 })).toEqual([21, 15]);
    expect(await ids({ statuses: ['completed', 'failed', 'failed'], limit: 3 })).toEqual([21, 20, 15]);
    expect(await ids({ statuses: ['completed'], taskId: 'task_x' })).toEqual([20, 8]);
    expect(await ids({ createdAfter: 1020, createdBefore: 1023 })).toEqual([22, 21, 20]);
    expect(await ids({ createdAfter: 1024 })).toEqual([24]);
    expect(await ids({ createdBefore: 1001 })).toEqual([]);
    const both = { statuses: ['running', 'completed'] as const, createdBefore: 1014, createdAfter: 1002 };
    expect(await ids({ ...both, beforeId: executionId(13) })).toEqual([8, 7, 2]);
  });

  test('executions are listed by their labels, all of which have to be there, with the same value', async () => {
    const { store, ids } = await filled();
    const even = [24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2];
    expect(await ids({ labels: { team: 'a' } })).toEqual(even);
    expect(await ids({ labels: { team: 'b' } })).toEqual([]);
    expect(await ids({ labels: { team: '' } })).toEqual([]);
    expect(await ids({ labels: {} })).toHaveLength(24);
    const both = { team: 'a', 'x.org/note': '' };
    expect(await ids({ labels: both })).toEqual([24, 18, 12, 6]);
    expect(await ids({ labels: { ...both, more: '' } })).toEqual([]);
    expect(await ids({ labels: both, limit: 2, beforeId: executionId(24) })).toEqual([18, 12]);
    expect(await ids({ labels: { team: 'a' }, statuses: ['completed', 'failed'] })).toEqual([20, 14, 8, 2]);
    expect(await ids({ labels: { team: 'a' }, statuses: ['running', 'pending'] })).toEqual([24, 18, 12, 6]);
    expect(await ids({ labels: both, taskId: 'task_x', createdBefore: 1024 })).toEqual([12]);
    expect(await store.execution(executionId(6))).toMatchObject({ labels: both });
  });

  test('an execution that is deleted is not listed by its labels any more', async () => {
    const { store, ids } = await filled();
    expect(await store.delete(executionId(14))).toBe(true);
    expect(await ids({ labels: { team: 'a' }, statuses: ['completed'] })).toEqual([20, 8, 2]);
  });

  test('a record that changes is listed by its new status and task only', async () => {
    const { store, ids } = await filled();
    const id = executionId(1);
    await store.commit([{ ...appending(id, 3, []), record: recordOf(id, 'cancelled', { createdAt: 1001 }) }]);
    expect(await ids({ statuses: ['running'] })).toEqual([19, 13, 7]);
    expect(await ids({ statuses: ['cancelled'] })).toEqual([22, 16, 10, 4, 1]);
  });

  test('unfinished executions are listed oldest first, in pages', async () => {
    const { store } = await filled();
    const numbers = async (after: string, limit: number) =>
      (await store.unfinished(after, limit)).map((record) => Number(record.executionId.slice(5)));
    expect(await numbers('', 100)).toEqual([1, 6, 7, 12, 13, 18, 19, 24]);
    expect(await numbers('', 3)).toEqual([1, 6, 7]);
    expect(await numbers(executionId(7), 3)).toEqual([12, 13, 18]);
    expect(await numbers(executionId(24), 3)).toEqual([]);
  });
}
