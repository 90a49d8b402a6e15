import { expect, test } from 'vitest';
import { moved } from '../../../src/domain/revisions/alias.ts';
import type { Store } from '../../../src/stores/store.ts';
import { executionId, recordOf, shortLog, taskOf } from '../samples.ts';

/** Revisions of tasks, and the aliases that name them. */
export function aliasContract(open: () => Promise<Store>): void {
  const alias = (name: string, revision = 1) =>
    moved(name, undefined, { shares: [{ revision, percent: 100 }], at: 7, by: 'socket' });

  test('revisions come the newest first, in pages, of their task alone', async () => {
    const store = await open();
    for (const revision of [1, 2, 3, 5]) await store.saveTask(taskOf('task_1', revision, 'echo'));
    await store.saveTask(taskOf('task_2', 4, 'other'));
    const revisions = async (before: number, limit: number) =>
      (await store.taskRevisions('task_1', before, limit)).map(({ revision }) => revision);
    expect(await revisions(99, 2)).toEqual([5, 3]);
    expect(await revisions(3, 9)).toEqual([2, 1]);
    expect(await revisions(1, 9)).toEqual([]);
    expect(await store.taskRevisions('task_9', 99, 9)).toEqual([]);
  });

  test('aliases come by their names, are written over, taken away, and go with the name of their task', async () => {
    const store = await open();
    for (const revision of [1, 2]) await store.saveTask(taskOf('task_1', revision, 'echo'));
    expect(await store.taskAliases('task_1')).toEqual([]);
    await store.saveAlias('task_1', 'live', alias('live'));
    await store.saveAlias('task_1', 'canary', alias('canary'));
    await store.saveAlias('task_2', 'live', alias('live'));
    await store.saveAlias('task_1', 'live', alias('live', 2));
    expect(await store.taskAliases('task_1')).toEqual([alias('canary'), alias('live', 2)]);
    await store.saveAlias('task_1', 'canary', undefined);
    await store.saveAlias('task_1', 'other', undefined);
    expect(await store.taskAliases('task_1')).toEqual([alias('live', 2)]);
    await store.saveTask(taskOf('task_1', 3, 'echo'));
    expect(await store.taskAliases('task_1')).toEqual([alias('live', 2)]);
    await store.deleteTask('task_1');
    expect(await store.taskAliases('task_1')).toEqual([]);
    expect(await store.taskAliases('task_2')).toEqual([alias('live')]);
  });

  test('a revision is deleted unless it is the newest or an execution has it', async () => {
    const store = await open();
    for (const revision of [1, 2, 3]) await store.saveTask(taskOf('task_1', revision, 'echo'));
    const record = recordOf(executionId(1), 'completed', { taskId: 'task_1', taskRevision: 1 });
    await store.commit([
      { executionId: executionId(1), expectedLastSequence: 0, events: shortLog(), record },
    ]);
    expect(await store.deleteRevision('task_1', 3)).toBe(false);
    expect(await store.deleteRevision('task_1', 1)).toBe(false);
    expect(await store.deleteRevision('task_1', 9)).toBe(false);
    expect(await store.deleteRevision('task_1', 2)).toBe(true);
    expect(await store.taskRevision('task_1', 2)).toBeUndefined();
    await store.delete(executionId(1));
    expect(await store.deleteRevision('task_1', 1)).toBe(true);
  });
}
