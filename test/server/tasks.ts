import { server } from './local.ts';

export const cat = 'misbehaving/cat.wasm';

export async function names(): Promise<(string | undefined)[]> {
  const { tasks } = await server.tasks.listTasks({});
  return tasks.map((task) => task.definition?.name);
}
