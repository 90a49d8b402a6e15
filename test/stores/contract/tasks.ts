import { expect, test } from 'vitest';
import type { Store } from '../../../src/stores/store.ts';
import { taskOf } from '../samples.ts';

export function taskContract(open: () => Promise<Store>): void {
  test('all revisions of a task stay, and the newest is the task', async () => {
    const store = await open();
    await store.saveTask(taskOf('task_1', 1, 'echo'));
    await store.saveTask(taskOf('task_1', 2, 'echo'));
    expect(await store.taskByName('default', 'echo')).toEqual(taskOf('task_1', 2, 'echo'));
    expect(await store.taskById('task_1')).toEqual(taskOf('task_1', 2, 'echo'));
    expect(await store.taskRevision('task_1', 1)).toEqual(taskOf('task_1', 1, 'echo'));
    expect(await store.taskRevision('task_1', 3)).toBeUndefined();
    expect(await store.taskById('task_2')).toBeUndefined();
    expect(await store.taskByName('default', 'other')).toBeUndefined();
  });

  test('a revision that is saved again is replaced', async () => {
    const store = await open();
    await store.saveTask(taskOf('task_1', 1, 'echo'));
    const changed = { ...taskOf('task_1', 1, 'echo'), updatedAt: 7 };
    await store.saveTask(changed);
    expect(await store.taskById('task_1')).toEqual(changed);
  });

  test('a deleted task loses its name and stays readable by id and revision', async () => {
    const store = await open();
    await store.saveTask(taskOf('task_1', 1, 'echo'));
    await store.deleteTask('task_1');
    await store.deleteTask('task_unknown');
    expect(await store.taskByName('default', 'echo')).toBeUndefined();
    expect(await store.tasks('default', '', 10)).toEqual([]);
    expect(await store.taskById('task_1')).toEqual(taskOf('task_1', 1, 'echo'));
    expect(await store.taskRevision('task_1', 1)).toEqual(taskOf('task_1', 1, 'echo'));
  });

  test('tasks are listed by the labels of their newest revision, in the order of their names', async () => {
    const store = await open();
    const team = (value: string) => ({ labels: { team: value } });
    for (const [index, name] of ['c', 'a', 'b', 'd'].entries()) {
      await store.saveTask(taskOf(`task_${index}`, 1, name, team(name === 'd' ? 'y' : 'x')));
    }
    const names = async (value: string, after = '', limit = 10) =>
      (await store.tasks('default', after, limit, { team: value })).map(({ definition }) => definition.name);
    expect(await names('x')).toEqual(['a', 'b', 'c']);
    expect(await names('x', 'a', 1)).toEqual(['b']);
    await store.saveTask(taskOf('task_1', 2, 'a', team('y')));
    expect(await names('x')).toEqual(['b', 'c']);
    expect(await names('y')).toEqual(['a', 'd']);
    await store.deleteTask('task_3');
    expect(await names('y')).toEqual(['a']);
    await store.saveTask(taskOf('task_9', 1, 'a'));
    expect(await names('y')).toEqual([]);
  });

  test('a name goes to the task that was saved with it last', async () => {
    const store = await open();
    await store.saveTask(taskOf('task_1', 1, 'echo'));
    await store.saveTask(taskOf('task_2', 1, 'echo'));
    expect((await store.taskByName('default', 'echo'))?.taskId).toBe('task_2');
    await store.deleteTask('task_1');
    expect((await store.taskByName('default', 'echo'))?.taskId).toBe('task_2');
    await store.saveTask(taskOf('task_2', 2, 'renamed'));
    expect(await store.taskByName('default', 'echo')).toBeUndefined();
  });

  test('tasks are listed by name, in pages, each in its newest revision', async () => {
    const store = await open();
    for (const [index, name] of ['b', 'a', 'c-2', 'c.1', 'd'].entries()) {
      await store.saveTask(taskOf(`task_${index}`, 1, name));
      await store.saveTask(taskOf(`task_${index}`, 2, name));
    }
    await store.deleteTask('task_4');
    const names = async (after: string, limit: number) =>
      (await store.tasks('default', after, limit)).map((task) => `${task.definition.name}@${task.revision}`);
    expect(await names('', 10)).toEqual(['a@2', 'b@2', 'c-2@2', 'c.1@2']);
    expect(await names('a', 2)).toEqual(['b@2', 'c-2@2']);
    expect(await names('c.1', 2)).toEqual([]);
  });

  test("a revision that is no name's is read by id and revision, and listed nowhere", async () => {
    const store = await open();
    await store.saveTask(taskOf('task_1', 2, 'echo'));
    await store.saveRevision(taskOf('task_1', 1, 'echo'));
    await store.saveRevision(taskOf('task_2', 7, 'other'));
    expect(await store.taskRevision('task_1', 1)).toEqual(taskOf('task_1', 1, 'echo'));
    expect(await store.taskRevision('task_2', 7)).toEqual(taskOf('task_2', 7, 'other'));
    expect(await store.taskByName('default', 'echo')).toEqual(taskOf('task_1', 2, 'echo'));
    expect(await store.taskByName('default', 'other')).toBeUndefined();
    expect(await store.tasks('default', '', 10)).toEqual([taskOf('task_1', 2, 'echo')]);
  });
}
