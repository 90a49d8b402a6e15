/**
 * The breakpoints of a cluster: rows of the store that each node has in its own table. One that is set holds on every
 * node that lives, whichever then has the execution; it lives until it is deleted or has done what it was for.
 *
 * - `once` is for one hold on each node that comes to it before it has heard of the first.
 * - A row is never written again, so that nobody brings back what another node has deleted: each node counts its own
 *   hits.
 */
import type { Breakpoint, Breakpoints } from '../../domain/breakpoint.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Store } from '../../stores/store.ts';
import type { BreakpointTable } from './breakpoints.ts';

const kind = 'breakpoint';
/** More than there may be, also where several nodes set the last at once. */
const mostRows = 1000;
/** A row that could not be deleted is deleted again after so many milliseconds. */
const againMs = 1000;

export interface SharedBreakpointsHost {
  readonly table: BreakpointTable;
  readonly store: Pick<Store, 'saveRows' | 'row' | 'rows'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly changes: {
    /** Resolves when all nodes that live have seen what this one has changed. */
    settled(): Promise<void>;
  };
}

export class SharedBreakpoints implements Breakpoints {
  readonly #host: SharedBreakpointsHost;
  /** Those that are over here, and whose rows are still there. */
  readonly #over = new Set<string>();

  constructor(host: SharedBreakpointsHost) {
    this.#host = host;
    host.table.onOver((breakpointId) => void this.#forget(breakpointId));
  }

  async set(wanted: Pick<Breakpoint, 'of' | 'before' | 'once'>): Promise<Breakpoint> {
    const { table, store, changes } = this.#host;
    const made = await table.set(wanted);
    const { breakpointId } = made;
    try {
      await store.saveRows([{ kind, tenant: '', key: breakpointId, value: JSON.stringify(made) }]);
      await changes.settled();
      return made;
    } catch (error) {
      // It may have been written.
      table.drop(breakpointId);
      void this.#forget(breakpointId);
      throw error;
    }
  }

  list(): readonly Breakpoint[] {
    return this.#host.table.list();
  }

  async remove(breakpointId: string): Promise<boolean> {
    const { table, store, changes } = this.#host;
    if (!table.list().some((each) => each.breakpointId === breakpointId)) return false;
    await store.saveRows([{ kind, tenant: '', key: breakpointId, deleted: true }]);
    table.drop(breakpointId);
    await changes.settled();
    return true;
  }

  /** Reads one that another node has changed, or all of them. Rejects with StoreError. */
  async reload(breakpointId?: string): Promise<void> {
    const { table, store } = this.#host;
    const ids = new Set(breakpointId === undefined ? table.list().map((each) => each.breakpointId) : []);
    const rows =
      breakpointId === undefined
        ? await store.rows({ kind, limit: mostRows })
        : [await store.row({ kind, tenant: '', key: breakpointId })];
    if (breakpointId !== undefined) ids.add(breakpointId);
    for (const row of rows) {
      if (row === undefined || this.#over.has(row.key)) continue;
      ids.delete(row.key);
      table.put(JSON.parse(row.value) as Breakpoint);
    }
    for (const id of ids) table.drop(id);
  }

  /** It has held what it was to hold, or what it was for has ended. */
  async #forget(breakpointId: string): Promise<void> {
    const { store, clock } = this.#host;
    this.#over.add(breakpointId);
    try {
      await store.saveRows([{ kind, tenant: '', key: breakpointId, deleted: true }]);
      this.#over.delete(breakpointId);
    } catch {
      clock.setTimer(againMs, () => void this.#forget(breakpointId));
    }
  }
}
