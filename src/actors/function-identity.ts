import { createHash } from 'node:crypto';
import type { TaskDefinition } from '../domain/task.ts';
import { changeable } from '../domain/tasks.ts';

const known = new WeakMap<TaskDefinition, string>();
const left: ReadonlySet<string> = new Set(changeable);
const digits = 16;

/** Hex; the same for definitions of a task that differ in nothing but what an update may change. */
export function functionIdentity(definition: TaskDefinition): string {
  let identity = known.get(definition);
  if (identity === undefined) {
    const said = Object.entries(definition)
      .filter(([name]) => !left.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    identity = createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, digits);
    known.set(definition, identity);
  }
  return identity;
}
