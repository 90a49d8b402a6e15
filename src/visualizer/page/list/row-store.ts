/**
 * The executions that the page knows, at most so many: beyond that the oldest ended ones are forgotten.
 *
 * Ids are ordered by time, so that the newest has the greatest.
 */
import type { ExecutionRow } from '../model/execution-row.ts';
import { isEnded } from '../model/status.ts';

export const maxRows = 20_000;

export interface RowChange {
  readonly changed: readonly string[];
  /** The node has them no more. */
  readonly deleted: readonly string[];
  /** Only the page has them no more. */
  readonly forgotten: readonly string[];
  /** All of it may be different. */
  readonly all: boolean;
}

const nothing: RowChange = { changed: [], deleted: [], forgotten: [], all: false };

/** An answer that is on its way. */
export interface Answer extends Disposable {
  /**
   * `covers` says which rows would be in the answer. What has ended changes no more: where it is not in the answer the
   * node has it no more.
   */
  take(rows: readonly ExecutionRow[], covers?: (row: ExecutionRow) => boolean): void;
}

type Listener = (change: RowChange) => void;

export class RowStore {
  readonly #rows = new Map<string, ExecutionRow>();
  readonly #listeners = new Set<Listener>();
  readonly #listings = new Set<Set<string>>();
  readonly #most: number;
  readonly #kept = new Set<string>();
  /** The reader may be looking at it: such rows are forgotten last. */
  isListed: (id: string) => boolean = () => false;

  constructor(most: number = maxRows) {
    this.#most = most;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** It has forgotten, or would now forget, older ones. */
  get isFull(): boolean {
    return this.#rows.size >= this.#most;
  }

  get(id: string): ExecutionRow | undefined {
    return this.#rows.get(id);
  }

  values(): Iterable<ExecutionRow> {
    return this.#rows.values();
  }

  /** Takes news, which come in the order in which things happened. */
  tell(rows: readonly ExecutionRow[]): void {
    for (const listing of this.#listings) for (const { id } of rows) listing.add(id);
    this.#take(rows);
  }

  /**
   * To be called before the node is asked for executions; `take` then takes the answer. News overtake answers: of
   * what was told in between the answer is old.
   */
  ask(): Answer {
    const told = new Set<string>();
    this.#listings.add(told);
    return {
      take: (rows, covers) => {
        this.#listings.delete(told);
        if (covers !== undefined) {
          const left = new Set([...told, ...rows.map(({ id }) => id)]);
          const isGone = (row: ExecutionRow) => isEnded(row.status) && !left.has(row.id) && covers(row);
          this.remove([...this.#rows.values()].filter(isGone).map(({ id }) => id));
        }
        this.#take(rows.filter(({ id }) => !told.has(id)));
      },
      [Symbol.dispose]: () => this.#listings.delete(told),
    };
  }

  /** Does not forget this one until the answer is called. */
  keep(id: string): () => void {
    this.#kept.add(id);
    return () => this.#kept.delete(id);
  }

  /** The node has them no more; answers that are on their way may still have them. */
  remove(ids: readonly string[]): void {
    for (const listing of this.#listings) for (const id of ids) listing.add(id);
    const deleted = ids.filter((id) => this.#rows.delete(id));
    if (deleted.length > 0) this.#tell({ ...nothing, deleted });
  }

  clear(): void {
    this.#rows.clear();
    this.#tell({ ...nothing, all: true });
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #take(rows: readonly ExecutionRow[]): void {
    if (rows.length === 0) return;
    for (const row of rows) this.#rows.set(row.id, row);
    this.#tell({ ...nothing, changed: rows.map(({ id }) => id) });
    // Only now is it known which of the new ones are listed.
    if (this.#rows.size > this.#most) this.#tell({ ...nothing, forgotten: this.#forget() });
  }

  /** A twentieth more than needed goes at once, so that not every row that comes has to look for one that goes. */
  #forget(): string[] {
    const unlisted: string[] = [];
    const listed: string[] = [];
    for (const row of this.#rows.values()) {
      if (!isEnded(row.status) || this.#kept.has(row.id)) continue;
      (this.isListed(row.id) ? listed : unlisted).push(row.id);
    }
    const excess = this.#rows.size - Math.floor(this.#most * 0.95);
    const gone = [...unlisted.sort(), ...listed.sort()].slice(0, excess);
    for (const id of gone) this.#rows.delete(id);
    return gone;
  }

  #tell(change: RowChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
