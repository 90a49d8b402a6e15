/** Labels of tasks and executions: what people and filters know them by. Their rules are in `schema/values.ts`. */
import { invalidArgument } from './errors.ts';
import { mostLabels } from './schema/values.ts';

export type Labels = Readonly<Record<string, string>>;

/**
 * An execution's labels: the task's with the request's over them; undefined where there are none. In the order of their
 * keys. Throws invalid_argument where both together are too many.
 */
export function executionLabels(task: Labels | undefined, request: Labels): Labels | undefined {
  const own = Object.keys(request);
  if (own.length === 0) return task;
  const all = Object.entries({ ...task, ...request }).sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length > mostLabels) {
    throw invalidArgument('labels', `has ${all.length} entries with the task's; allowed are ${mostLabels}`);
  }
  return Object.fromEntries(all);
}

/** Whether all that is wanted is there. */
export function hasLabels(labels: Labels | undefined, wanted: Labels | undefined): boolean {
  const found = new Map(Object.entries(labels ?? {}));
  return Object.entries(wanted ?? {}).every(([key, value]) => found.get(key) === value);
}
