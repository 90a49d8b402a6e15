import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { DuePlace, SideRow, SideRowChange, SideRowId, SideRowQuery } from '../../../domain/side-row.ts';
import { DamagedError } from '../../store.ts';
import { sideRowChecksum } from '../file/checksum.ts';
import { type Row, wholeOf } from './row.ts';

export const sideRowColumns = 'kind, tenant, key, due_at, value, checksum';

/** Reads and writes the rows beside the executions. */
export class SideRows {
  readonly #db: DatabaseSync;
  readonly #one: StatementSync;
  readonly #due: StatementSync;
  readonly #save: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#one = db.prepare(
      `SELECT ${sideRowColumns} FROM side_rows WHERE kind = ? AND tenant = ? AND key = ?`,
    );
    this.#due = db.prepare(
      `SELECT ${sideRowColumns} FROM side_rows
       WHERE kind = :kind AND due_at IS NOT NULL AND due_at <= :until
         AND (due_at, tenant, key) > (:dueAt, :tenant, :key)
       ORDER BY due_at, tenant, key LIMIT :limit`,
    );
    this.#save = db.prepare(
      `INSERT INTO side_rows (${sideRowColumns}) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (kind, tenant, key) DO UPDATE SET due_at = excluded.due_at, value = excluded.value,
         checksum = excluded.checksum`,
    );
    this.#delete = db.prepare('DELETE FROM side_rows WHERE kind = ? AND tenant = ? AND key = ?');
  }

  /** Throws DamagedError where it is not as it was written. */
  one({ kind, tenant, key }: SideRowId): SideRow | undefined {
    const row = this.#one.get(kind, tenant, key);
    return row === undefined ? undefined : sideRowOf(row);
  }

  list({ kind, tenant, after, before, limit }: SideRowQuery): SideRow[] {
    const values: Record<string, SQLInputValue> = { kind, limit };
    const where = ['kind = :kind'];
    const add = (condition: string, name: string, value: string | undefined): void => {
      if (value === undefined) return;
      where.push(`${condition} :${name}`);
      values[name] = value;
    };
    add('tenant =', 'tenant', tenant);
    add('key >', 'after', after);
    add('key <', 'before', before);
    const sql = `SELECT ${sideRowColumns} FROM side_rows WHERE ${where.join(' AND ')}
      ORDER BY tenant, key LIMIT :limit`;
    return wholeOf(this.#db.prepare(sql).all(values), sideRowOf);
  }

  due(kind: string, until: number, limit: number, after?: DuePlace): SideRow[] {
    const { dueAt = -Number.MAX_VALUE, tenant = '', key = '' } = after ?? {};
    return wholeOf(this.#due.all({ kind, until, limit, dueAt, tenant, key }), sideRowOf);
  }

  count(kind: string, tenant: string | undefined): number {
    const one = tenant === undefined ? {} : { tenant };
    const sql = `SELECT count(*) AS count FROM side_rows WHERE kind = :kind${
      tenant === undefined ? '' : ' AND tenant = :tenant'
    }`;
    return Number(this.#db.prepare(sql).get({ kind, ...one })?.count);
  }

  save(changes: readonly SideRowChange[]): void {
    for (const change of changes) {
      const { kind, tenant, key } = change;
      if ('deleted' in change) {
        this.#delete.run(kind, tenant, key);
        continue;
      }
      const { dueAt = null, value } = change;
      this.#save.run(kind, tenant, key, dueAt, value, sideRowChecksum(kind, tenant, key, dueAt, value));
    }
  }
}

/** Throws DamagedError where the row is not as it was written. */
export function sideRowOf({ kind, tenant, key, due_at, value, checksum }: Row): SideRow {
  const id = { kind: String(kind), tenant: String(tenant), key: String(key) };
  const dueAt = due_at === null ? null : Number(due_at);
  if (checksum !== sideRowChecksum(id.kind, id.tenant, id.key, dueAt, String(value))) {
    throw new DamagedError(`the ${id.kind} ${id.key} is damaged`);
  }
  return { ...id, value: String(value), ...(dueAt !== null && { dueAt }) };
}
