import type { Task } from '../domain/task.ts';
import { overriding } from '../stores/overriding.ts';
import type { Store } from '../stores/store.ts';

/** A store whose tasks are read as `bound` makes them, whenever and by whatever version they were written. */
export function withBoundedTasks(store: Store, bound: (task: Task) => Task): Store {
  const one = async (read: Promise<Task | undefined>): Promise<Task | undefined> => {
    const task = await read;
    return task === undefined ? undefined : bound(task);
  };
  return overriding(store, {
    taskByName: (tenant, name) => one(store.taskByName(tenant, name)),
    taskById: (taskId) => one(store.taskById(taskId)),
    taskRevision: (taskId, revision) => one(store.taskRevision(taskId, revision)),
    taskRevisions: async (taskId, before, limit) =>
      (await store.taskRevisions(taskId, before, limit)).map(bound),
    tasks: async (tenant, afterName, limit, labels) =>
      (await store.tasks(tenant, afterName, limit, labels)).map(bound),
  });
}
