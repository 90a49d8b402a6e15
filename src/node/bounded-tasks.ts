import type { Task } from '../domain/task.ts';
import type { Store } from '../stores/store.ts';

/** A store whose tasks are read as `bound` makes them, whenever and by whatever version they were written. */
export function withBoundedTasks(store: Store, bound: (task: Task) => Task): Store {
  const one = async (read: Promise<Task | undefined>): Promise<Task | undefined> => {
    const task = await read;
    return task === undefined ? undefined : bound(task);
  };
  const reads: Pick<Store, 'taskByName' | 'taskById' | 'taskRevision' | 'tasks'> = {
    taskByName: (name) => one(store.taskByName(name)),
    taskById: (taskId) => one(store.taskById(taskId)),
    taskRevision: (taskId, revision) => one(store.taskRevision(taskId, revision)),
    tasks: async (afterName, limit) => (await store.tasks(afterName, limit)).map(bound),
  };
  // The adapters keep private fields, so that their methods must run on themselves.
  const methods = new Map<PropertyKey, unknown>(Object.entries(reads));
  return new Proxy(store, {
    get(target, key) {
      const known = methods.get(key);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      const method: unknown = value.bind(target);
      methods.set(key, method);
      return method;
    },
  });
}
