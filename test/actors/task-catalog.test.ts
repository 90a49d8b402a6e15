import { expect, test } from 'vitest';
import { createIds } from '../../src/actors/ids.ts';
import { TaskCatalog } from '../../src/actors/tasks/task-catalog.ts';
import type { Store } from '../../src/stores/store.ts';
import { taskOf } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { roomyCaps } from '../support/samples.ts';

const cached = 1000;

function catalogOf(store: Store): TaskCatalog {
  const clock = new FakeClock();
  return new TaskCatalog({
    store,
    runtimes: new Map(),
    clock,
    ids: createIds(clock),
    hostAccess: false,
    caps: roomyCaps,
    listener: { registered: () => {}, serves: () => {} },
  });
}

test('a task that every call asks for stays in memory, however many others are asked for', async () => {
  const store = createMemoryStore();
  const name = (number: number): string => `task-${number}`;
  for (let number = 0; number <= cached; number++) {
    await store.saveTask(taskOf(`task_${number}`, 1, name(number)));
  }
  const scope = { tenant: 'default' };
  const read: string[] = [];
  const catalog = catalogOf({
    ...store,
    taskByName: (tenant, wanted) => {
      read.push(wanted);
      return store.taskByName(tenant, wanted);
    },
  });
  for (let number = 0; number < cached; number++) await catalog.get(scope, name(number));
  await catalog.get(scope, name(0));
  await catalog.get(scope, name(cached));
  read.length = 0;
  await catalog.get(scope, name(0));
  expect(read).toEqual([]);
  // The one that nobody asked for since.
  await catalog.get(scope, name(1));
  expect(read).toEqual([name(1)]);
});

test('a name is a task of each tenant, also once it is kept in memory, and removing one leaves the other', async () => {
  const store = createMemoryStore();
  const catalog = catalogOf(store);
  const [a, b] = [{ tenant: 'a' }, { tenant: 'b' }];
  for (const { tenant } of [a, b]) await store.saveTask({ ...taskOf(`task_${tenant}`, 1, 'echo'), tenant });
  for (let round = 0; round < 2; round++) {
    expect((await catalog.get(a, 'echo')).taskId).toBe('task_a');
    expect((await catalog.get(b, 'echo')).taskId).toBe('task_b');
    expect((await catalog.get(b, 'task_b')).taskId).toBe('task_b');
    await expect(catalog.get(a, 'task_b')).rejects.toThrow('no task "task_b"');
  }
  await catalog.remove(a, 'echo');
  await expect(catalog.get(a, 'echo')).rejects.toThrow('no task "echo"');
  expect((await catalog.get(b, 'echo')).taskId).toBe('task_b');
  expect(await catalog.isSeen(a, 'task_a')).toBe(true);
  expect(await catalog.isSeen(b, 'task_a')).toBe(false);
  expect(await catalog.isSeen(a, 'task_none')).toBe(false);
});

test('a name that is not known is compared with those in scope, and with no others', async () => {
  const store = createMemoryStore();
  const catalog = catalogOf(store);
  await store.saveTask({ ...taskOf('task_1', 1, 'echo-other'), tenant: 'a' });
  await store.saveTask({ ...taskOf('task_2', 1, 'mine-1'), tenant: 'b' });
  await store.saveTask({ ...taskOf('task_3', 1, 'echo-1'), tenant: 'b' });
  const told = (scope: { tenant: string; tasks?: string[] }, name: string) =>
    catalog.get(scope, name).catch((error: Error) => error.message);
  expect(await told({ tenant: 'b' }, 'echo-2')).toBe('no task "echo-2"; did you mean "echo-1"?');
  expect(await told({ tenant: 'b', tasks: ['mine*'] }, 'echo-2')).toBe('no task "echo-2"');
  expect(await told({ tenant: 'b', tasks: ['mine*'] }, 'echo-1')).toBe('no task "echo-1"');
  expect(await told({ tenant: 'b', tasks: ['mine*'] }, 'mine-2')).toMatch(/did you mean "mine-1"/);
  expect(await told({ tenant: 'b' }, 'echo-othe')).not.toContain('echo-other"');
});

test('tasks in scope are listed in whole pages, however many others are between them', async () => {
  const store = createMemoryStore();
  const catalog = catalogOf(store);
  for (let number = 0; number < 1200; number++) {
    const name = `${number % 400 === 0 ? 'mine' : 'other'}-${String(number).padStart(4, '0')}`;
    await store.saveTask(taskOf(`task_${number}`, 1, name));
  }
  const scope = { tenant: 'default', tasks: ['*-0000', '*-0800', 'mine-0400'] };
  const names = async (after: string, limit: number) =>
    (await catalog.list(scope, after, limit)).map(({ definition }) => definition.name);
  expect(await names('', 2)).toEqual(['mine-0000', 'mine-0400']);
  expect(await names('mine-0400', 2)).toEqual(['mine-0800']);
});
