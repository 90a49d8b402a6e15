/**
 * A row that stands beside the executions and says what makes them or what follows from them, as its owner writes it.
 * The store keeps it and knows nothing of what it means.
 */
export interface SideRow {
  /** Whose it is: one word of the code that owns it, such as `schedule`. */
  readonly kind: string;
  readonly tenant: string;
  /** Unique among the rows of that kind and tenant. */
  readonly key: string;
  /** JSON text. */
  readonly value: string;
  /** When its owner wants to look at it, in milliseconds since the epoch; absent for never. */
  readonly dueAt?: number;
}

export type SideRowId = Pick<SideRow, 'kind' | 'tenant' | 'key'>;

/** Writes a row, in place of the one that has its id, or takes away the one with that id. */
export type SideRowChange = SideRow | (SideRowId & { readonly deleted: true });

/** Rows of one kind, in the order of their tenants and keys. */
export interface SideRowQuery {
  readonly kind: string;
  /** Absent means all of them; `after` and `before` are keys of one tenant then, and need it. */
  readonly tenant?: string;
  /** Only keys behind this one, and only keys before that one. */
  readonly after?: string;
  readonly before?: string;
  readonly limit: number;
}

/** The place of a row among those that are due: by `dueAt`, then by tenant and key. */
export type DuePlace = Pick<SideRow, 'tenant' | 'key'> & { readonly dueAt: number };
