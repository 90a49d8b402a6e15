import { expect, test } from 'vitest';
import { createIds } from '../../src/actors/ids.ts';
import { TaskCatalog } from '../../src/actors/tasks/task-catalog.ts';
import { taskOf } from '../stores/samples.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { createMemoryStore } from '../support/memory-store/store.ts';
import { roomyCaps } from '../support/samples.ts';

const cached = 1000;

test('a task that every call asks for stays in memory, however many others are asked for', async () => {
  const store = createMemoryStore();
  const name = (number: number): string => `task-${number}`;
  for (let number = 0; number <= cached; number++) {
    await store.saveTask(taskOf(`task_${number}`, 1, name(number)));
  }
  const scope = { tenant: 'default' };
  const read: string[] = [];
  const clock = new FakeClock();
  const catalog = new TaskCatalog({
    store: {
      ...store,
      taskByName: (tenant, wanted) => {
        read.push(wanted);
        return store.taskByName(tenant, wanted);
      },
    },
    runtimes: new Map(),
    clock,
    ids: createIds(clock),
    hostAccess: false,
    caps: roomyCaps,
    listener: { registered: () => {}, removed: () => {} },
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
