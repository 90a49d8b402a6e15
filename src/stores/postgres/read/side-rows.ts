import type { DuePlace, SideRow, SideRowId, SideRowQuery } from '../../../domain/side-row.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row } from '../engine/session.ts';
import { restored, storable } from '../write/parameters.ts';
import { most } from './records.ts';

const columns = 'kind, tenant, key, due_at, value';

/** Reads rows beside the executions. */
export class SideRows {
  readonly #readers: Readers;

  constructor(readers: Readers) {
    this.#readers = readers;
  }

  async one({ kind, tenant, key }: SideRowId): Promise<SideRow | undefined> {
    const rows = await this.#readers.read(
      'cannot read a row',
      `SELECT ${columns} FROM side_rows WHERE kind = $1 AND tenant = $2 AND key = $3`,
      [kind, tenant, storable(key)],
    );
    return rows.map(rowOf)[0];
  }

  async list({ kind, tenant, after, before, limit }: SideRowQuery): Promise<SideRow[]> {
    const rows = await this.#readers.read(
      'cannot read rows',
      `SELECT ${columns} FROM side_rows WHERE kind = $1 AND ($2::text IS NULL OR tenant = $2)
         AND ($3::text IS NULL OR key > $3) AND ($4::text IS NULL OR key < $4)
       ORDER BY tenant, key LIMIT $5`,
      [kind, tenant ?? null, after ?? null, before ?? null, most(limit)],
    );
    return rows.map(rowOf);
  }

  async due(kind: string, until: number, limit: number, after?: DuePlace): Promise<SideRow[]> {
    const { dueAt = Number.NEGATIVE_INFINITY, tenant = '', key = '' } = after ?? {};
    const rows = await this.#readers.read(
      'cannot read rows',
      `SELECT ${columns} FROM side_rows WHERE kind = $1 AND due_at <= $2
         AND (due_at, tenant, key) > ($3::float8, $4::text, $5::text)
       ORDER BY due_at, tenant, key LIMIT $6`,
      [kind, until, dueAt, tenant, storable(key), most(limit)],
    );
    return rows.map(rowOf);
  }

  async count(kind: string, tenant?: string): Promise<number> {
    const [row] = await this.#readers.read(
      'cannot count',
      'SELECT count(*) AS count FROM side_rows WHERE kind = $1 AND ($2::text IS NULL OR tenant = $2)',
      [kind, tenant ?? null],
    );
    return Number(row?.count);
  }
}

function rowOf({ kind, tenant, key, due_at: dueAt, value }: Row): SideRow {
  const row = {
    kind: String(kind),
    tenant: String(tenant),
    key: restored(String(key)),
    value: String(value),
  };
  return dueAt === null ? row : { ...row, dueAt: Number(dueAt) };
}
