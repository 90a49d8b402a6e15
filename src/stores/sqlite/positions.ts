import type { DatabaseSync, StatementSync } from 'node:sqlite';

const afterNewest =
  'SELECT position + last_sequence - first_sequence + 1 FROM segments ORDER BY position DESC LIMIT 1';

/** The first position that no event has or had. */
export function nextPosition(db: DatabaseSync): number {
  const row = db.prepare(`SELECT max(next, ifnull((${afterNewest}), 1)) AS next FROM position_floor`).get();
  return (row?.next as number | undefined) ?? 1;
}

/** Run before segments are deleted, in the same transaction: a position is never given twice, also after a restart. */
export function prepareFloor(db: DatabaseSync): StatementSync {
  return db.prepare(`UPDATE position_floor SET next = max(next, ifnull((${afterNewest}), 1))`);
}
