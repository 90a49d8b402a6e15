/** Whoever commits the end of an execution commits its deliveries with it. */
import { deliveriesOf, deliveryRow } from '../domain/webhook.ts';
import { overriding } from './overriding.ts';
import type { CommitEntry, Store } from './store.ts';

/** The store, with the rows of webhooks in the entries of ends. */
export function withOutbox(kept: Store): Store {
  // A commit whose answer was lost is known by its entries when it is asked about again.
  const withRows = new WeakMap<readonly CommitEntry[], readonly CommitEntry[]>();
  return overriding(kept, {
    commit(entries) {
      if (!entries.some(hasWebhooks)) return kept.commit(entries);
      const whole = withRows.get(entries) ?? entries.map(withDeliveries);
      withRows.set(entries, whole);
      return kept.commit(whole);
    },
  });
}

/** It is the end of one that has ended here. */
function hasWebhooks({ record, events }: CommitEntry): boolean {
  return record?.onEnd !== undefined && events.at(-1)?.kind === 'result';
}

function withDeliveries(entry: CommitEntry): CommitEntry {
  const { record, rows = [] } = entry;
  if (record === undefined || !hasWebhooks(entry)) return entry;
  return { ...entry, rows: [...rows, ...deliveriesOf(record).map(deliveryRow)] };
}
