/** Why an execution waits that no node owns, as the node knows it that gives away what waits. */
import type { Explanation } from '../../../domain/explanation.ts';
import { type Scope, sees } from '../../../domain/scope.ts';
import type { Store } from '../../../stores/store.ts';
import { explain } from '../../explain/explaining.ts';
import { StoredCursor } from '../../log/cursors.ts';
import type { NodeTime } from '../../time/node-time.ts';
import { type Dispatcher, wishOf } from './dispatcher.ts';

/** Undefined where it does not wait in the order. */
export async function explainUnowned(
  dispatcher: Dispatcher,
  { store, time }: { readonly store: Store; readonly time: NodeTime },
  executionId: string,
  scope: Scope,
): Promise<Explanation | undefined> {
  const { slots, places } = dispatcher;
  if (!slots.waits(executionId)) return undefined;
  const record = await store.execution(executionId);
  const task = record && (await store.taskRevision(record.taskId, record.taskRevision));
  if (record === undefined || task === undefined || !slots.waits(executionId)) return undefined;
  return explain(
    {
      ...{ store, slots, time },
      glance: async () => new StoredCursor(store, record),
      taskOf: () => task,
      placeOf: async (id) => slots.place(id),
      runFor: () => undefined,
      waitMs: (waiting) => dispatcher.waitMs(waiting),
      maySay(id) {
        const holder = dispatcher.recordOf(id);
        return holder !== undefined && sees(scope, holder);
      },
      dependencyOf: async () => undefined,
      block: () => undefined,
      nodes: (waiting) => places.whyNot(wishOf(waiting)),
    },
    executionId,
  );
}
