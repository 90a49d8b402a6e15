import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { floorChecksum } from './checksum.ts';

const afterNewest =
  'SELECT position + last_sequence - first_sequence + 1 AS next FROM segments ORDER BY position DESC LIMIT 1';

/** How far a database has come. */
export interface Progress {
  /** The first position that no event has or had. */
  readonly next: number;
  /** Writes that brought no event, such as of a task. */
  readonly changes: number;
}

/** Of a floor that is damaged, what the logs say is all that is known. */
export function progressOf(db: DatabaseSync): Progress {
  const newest = Number(db.prepare(afterNewest).get()?.next ?? 1);
  const row = db.prepare('SELECT next, changes, checksum FROM position_floor').get();
  const [next, changes] = [Number(row?.next), Number(row?.changes)];
  if (row?.checksum !== floorChecksum(next, changes)) return { next: newest, changes: 0 };
  return { next: Math.max(next, newest), changes };
}

export function nextPosition(db: DatabaseSync): number {
  return progressOf(db).next;
}

/** Every call is within a transaction of its caller's. */
export class Floor {
  readonly #db: DatabaseSync;
  readonly #write: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#write = db.prepare('UPDATE position_floor SET next = ?, changes = ?, checksum = ?');
  }

  /** To be called before segments are deleted: a position is never given twice, also after a restart. */
  raise(): void {
    this.#save(progressOf(this.#db));
  }

  /** Counts a write that brings no event. */
  count(): number {
    const { next, changes } = progressOf(this.#db);
    this.#save({ next, changes: changes + 1 });
    return changes + 1;
  }

  #save({ next, changes }: Progress): void {
    this.#write.run(next, changes, floorChecksum(next, changes));
  }
}
