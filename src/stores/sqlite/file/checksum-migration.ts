/**
 * Gives the rows of an older database their checksums, in transactions of a few megabytes, so that the log beside it
 * stays small and a crash costs only the last of them: the next start goes on with the rest.
 *
 * A row that cannot be read stays where it is, and only its log is without it.
 */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Row } from '../read/row.ts';
import { inTransaction } from '../write/transaction.ts';
import { bytesChecksum, checksumOf, type Summed } from './checksum.ts';
import { isCorrupt } from './failure.ts';

/** How often at most it is told how far it has come. */
const tellings = 10;
const mostRows = 1000;
const mostBytes = 8 * 1024 * 1024;

/** The tables whose rows stay where they are: key, and all that their checksum is made of. */
const tables: readonly (readonly [table: string, key: string, values: string])[] = [
  ['executions', 'rowid', 'execution_id, task_id, task_revision, status, created_at, record'],
  ['claims', 'invocation_id', 'invocation_id, execution_id'],
  [
    'inputs',
    'rowid',
    `execution_id, invocation, invocation_sha256, CASE WHEN input IS NOT NULL THEN sum_bytes(input) END, input_sha256`,
  ],
  ['tasks', 'rowid', 'task_id, revision, task'],
  ['task_names', 'name', 'name, task_id'],
  ['staged', 'execution_id', 'execution_id'],
  ['position_floor', 'rowid', 'next, changes'],
];

/** Throws what SQLite throws. */
export function sumAll(db: DatabaseSync, progress: (rows: number, total: number) => void): void {
  db.function('sum_bytes', (bytes) => bytesChecksum(bytes as Uint8Array | null));
  db.function('sum_row', { varargs: true }, (...values) => checksumOf(...(values as [string, ...Summed[]])));
  for (const [table, key, values] of tables) sumTable(db, table, key, values);
  const count = db.prepare('SELECT count(*) AS count FROM segments_to_sum');
  const left = (): unknown => unlessCorrupt(() => count.get()?.count);
  const total = Number(left() ?? 0);
  let done = 0;
  const told = (rows: number): void => {
    const before = Math.floor((done * tellings) / total);
    done += rows;
    if (Math.floor((done * tellings) / total) > before) progress(done, total);
  };
  // From both ends: a page that is damaged hides what lies behind it from the one side only.
  for (const order of ['ASC', 'DESC'] as const) moveSegments(db, order, told);
  if (left() === 0) db.exec('DROP TABLE segments_to_sum');
}

/** What it cannot read has no checksum then, and is found to be damaged when it is asked for. */
function sumTable(db: DatabaseSync, table: string, key: string, values: string): void {
  const page = db.prepare(
    `SELECT ${key} AS key FROM ${table} WHERE (?1 IS NULL OR ${key} > ?1) ORDER BY ${key} LIMIT ${mostRows}`,
  );
  const sum = db.prepare(`SELECT sum_row('${table}', ${values}) AS checksum FROM ${table} WHERE ${key} = ?`);
  const save = db.prepare(`UPDATE ${table} SET checksum = ? WHERE ${key} = ?`);
  let after: SQLInputValue = null;
  for (;;) {
    const rows: Row[] = unlessCorrupt(() => page.all(after)) ?? [];
    const keys = rows.map((row) => row.key as SQLInputValue);
    const last = keys.at(-1);
    if (last === undefined) return;
    // Asked before it is written: a statement that fails within a transaction takes all of it along.
    const sums = keys.map((one) => [one, unlessCorrupt(() => sum.get(one))?.checksum] as const);
    inTransaction(db, () => {
      for (const [one, checksum] of sums) if (typeof checksum === 'number') save.run(checksum, one);
    });
    after = last;
  }
}

function moveSegments(db: DatabaseSync, order: 'ASC' | 'DESC', told: (rows: number) => void): void {
  const beyond = order === 'ASC' ? '>' : '<';
  const page = db.prepare(
    `SELECT position, length(data) AS bytes FROM segments_to_sum
     WHERE (?1 IS NULL OR position ${beyond} ?1) ORDER BY position ${order} LIMIT ${mostRows}`,
  );
  const columns = 'position, execution_id, first_sequence, last_sequence';
  const sum = db.prepare(
    `SELECT sum_row('segments', ${columns}, bytes, meta) AS checksum, bytes
     FROM (SELECT *, sum_bytes(data) AS bytes FROM segments_to_sum WHERE position = ?)`,
  );
  const copy = db.prepare(
    `INSERT INTO segments (${columns}, checksum, data_checksum, meta, data)
     SELECT ${columns}, ?2, ?3, meta, data FROM segments_to_sum WHERE position = ?1`,
  );
  const drop = db.prepare('DELETE FROM segments_to_sum WHERE position = ?');
  let after: number | null = null;
  for (;;) {
    const rows: Row[] = unlessCorrupt(() => page.all(after)) ?? [];
    if (rows.length === 0) return;
    const sums: { readonly position: number; readonly row: Row }[] = [];
    let bytes = 0;
    for (const { position, bytes: length } of rows) {
      after = Number(position);
      const row = unlessCorrupt(() => sum.get(Number(position)));
      if (row !== undefined) sums.push({ position: Number(position), row });
      bytes += Number(length ?? 0);
      if (bytes > mostBytes) break;
    }
    inTransaction(db, () => {
      for (const { position, row } of sums) {
        copy.run(position, Number(row.checksum), Number(row.bytes));
        drop.run(position);
      }
    });
    told(sums.length);
  }
}

/** Asks twice, as a statement that failed says so once more when it is used again. */
function unlessCorrupt<T>(work: () => T): T | undefined {
  for (const again of [true, false]) {
    try {
      return work();
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      if (!again) return undefined;
    }
  }
  return undefined;
}
