import type { DatabaseSync } from 'node:sqlite';
import type { KeptRows } from '../../store.ts';
import type { Reading } from '../read/reading.ts';
import { SideRows } from '../read/side-rows.ts';
import type { Writes } from '../write/writes.ts';

export function keptRows(db: DatabaseSync, reading: Reading, writes: Writes): KeptRows {
  const rows = new SideRows(db);
  return {
    saveRows: (changes) => writes.send('cannot save rows', { kind: 'saveRows', rows: changes }),
    row: (id) => reading.one('cannot read a row', () => rows.one(id)),
    rows: (query) => reading.list('cannot read rows', () => rows.list(query)),
    dueRows: (kind, until, limit, after) =>
      reading.list('cannot read rows', () => rows.due(kind, until, limit, after)),
    countRows: async (kind, tenant) => reading.now('cannot count', () => rows.count(kind, tenant)),
  };
}
