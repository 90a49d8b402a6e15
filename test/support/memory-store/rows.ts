import type {
  DuePlace,
  SideRow,
  SideRowChange,
  SideRowId,
  SideRowQuery,
} from '../../../src/domain/side-row.ts';

/** The rows beside the executions. */
export class MemoryRows {
  readonly #rows = new Map<string, SideRow>();

  save(changes: readonly SideRowChange[]): void {
    for (const change of changes) {
      if ('deleted' in change) this.#rows.delete(idOf(change));
      else this.#rows.set(idOf(change), { ...change });
    }
  }

  one(id: SideRowId): SideRow | undefined {
    const row = this.#rows.get(idOf(id));
    return row && { ...row };
  }

  list({ kind, tenant, after, before, limit }: SideRowQuery): SideRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.kind === kind && (tenant === undefined || row.tenant === tenant))
      .filter(({ key }) => (after === undefined || key > after) && (before === undefined || key < before))
      .sort((a, b) => compare([a.tenant, a.key], [b.tenant, b.key]))
      .slice(0, limit)
      .map((row) => ({ ...row }));
  }

  due(kind: string, until: number, limit: number, after?: DuePlace): SideRow[] {
    return [...this.#rows.values()]
      .filter((row) => row.kind === kind && row.dueAt !== undefined && row.dueAt <= until)
      .filter((row) => after === undefined || compare(placeOf(row), placeOf(after)) > 0)
      .sort((a, b) => compare(placeOf(a), placeOf(b)))
      .slice(0, limit)
      .map((row) => ({ ...row }));
  }

  count(kind: string, tenant: string | undefined): number {
    return this.list({ kind, limit: Number.POSITIVE_INFINITY, ...(tenant !== undefined && { tenant }) })
      .length;
  }
}

function idOf({ kind, tenant, key }: SideRowId): string {
  return JSON.stringify([kind, tenant, key]);
}

function placeOf({ dueAt = 0, tenant, key }: Pick<SideRow, 'dueAt' | 'tenant' | 'key'>) {
  return [dueAt, tenant, key] as const;
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
