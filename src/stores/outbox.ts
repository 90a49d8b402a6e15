/** Whoever commits the end of an execution commits its deliveries with it. */
import { deliveriesOf, deliveryRow } from '../domain/webhook.ts';
import { overriding } from './overriding.ts';
import type { CommitEntry, Store } from './store.ts';

/** The store, with the rows of webhooks in the entries of ends. */
export function withOutbox(kept: Store): Store {
  return overriding(kept, {
    commit: (entries) => kept.commit(entries.some(hasWebhooks) ? entries.map(withDeliveries) : entries),
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
