/**
 * The rows that are listed, newest first, kept right as executions come, change and go.
 *
 * - A change costs one pass over the list at most, however many rows it brings.
 * - While the reader is somewhere in the list, newer rows are counted and not shown.
 * - Nothing older than the frontier is shown: below it the page may know some executions and not others.
 */
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import type { RowTest } from './row-filter.ts';
import type { RowChange, RowStore } from './row-store.ts';

export class RowView {
  readonly #rows: RowStore;
  readonly #order = signal<readonly string[]>([]);
  readonly #fresh = signal(0);
  readonly #revision = signal(0);
  #members = new Set<string>();
  readonly #waiting = new Set<string>();
  #test: RowTest = () => true;
  #frontier = '';
  /** Newer ids than this one wait; empty where none does. */
  #ceiling = '';

  /** Ids, newest first. A new array whenever it has others. */
  readonly order: ReadonlySignal<readonly string[]> = this.#order;
  /** How many newer ones wait to be shown. */
  readonly fresh: ReadonlySignal<number> = this.#fresh;
  /** Changes whenever a listed row does. */
  readonly revision: ReadonlySignal<number> = this.#revision;

  constructor(rows: RowStore) {
    this.#rows = rows;
    rows.isListed = (id) => this.#members.has(id) || this.#waiting.has(id);
    rows.listen((change) => this.#take(change));
  }

  /** Shows other rows. */
  choose(test: RowTest): void {
    this.#test = test;
    this.#ceiling = '';
    this.rebuild();
  }

  /** The same question at another time: what waits goes on waiting. */
  retest(test: RowTest): void {
    this.#test = test;
    this.rebuild();
  }

  /** Nothing older than this id is shown; empty shows all. */
  reach(frontier: string): void {
    if (frontier === this.#frontier) return;
    this.#frontier = frontier;
    this.rebuild();
  }

  /** Holds back what is newer than what is listed now. */
  hold(): void {
    this.#ceiling = this.#order.peek()[0] ?? '';
  }

  /** Shows what was held back, and all that comes. */
  release(): void {
    this.#ceiling = '';
    if (this.#waiting.size > 0) this.rebuild();
  }

  /** Looks at every row again. */
  rebuild(): void {
    const order: string[] = [];
    this.#waiting.clear();
    for (const row of this.#rows.values()) {
      if (row.id < this.#frontier || !this.#test(row)) continue;
      if (this.#ceiling !== '' && row.id > this.#ceiling) this.#waiting.add(row.id);
      else order.push(row.id);
    }
    order.sort(newestFirst);
    this.#members = new Set(order);
    this.#show(order);
  }

  #take(change: RowChange): void {
    if (change.all) {
      this.rebuild();
      return;
    }
    const entering: string[] = [];
    const leaving = new Set<string>();
    let touched = false;
    for (const id of change.changed) {
      const row = this.#rows.get(id);
      const wanted = row !== undefined && id >= this.#frontier && this.#test(row);
      const listed = this.#members.has(id);
      if (listed) touched = true;
      if (wanted && !listed) {
        if (this.#ceiling !== '' && id > this.#ceiling) this.#waiting.add(id);
        else entering.push(id);
      } else if (!wanted) {
        this.#waiting.delete(id);
        if (listed) leaving.add(id);
      }
    }
    for (const id of change.deleted) {
      this.#waiting.delete(id);
      if (this.#members.has(id)) leaving.add(id);
    }
    let frontier = this.#frontier;
    for (const id of change.forgotten) {
      this.#waiting.delete(id);
      // Below what was forgotten the list would have holes.
      if (this.#members.has(id) && id >= frontier) frontier = `${id}!`;
    }
    if (frontier !== this.#frontier) {
      this.reach(frontier);
      return;
    }
    if (entering.length > 0 || leaving.size > 0) this.#show(this.#merged(entering, leaving));
    else if (touched) this.#show(this.#order.peek());
    else this.#fresh.value = this.#waiting.size;
  }

  #show(order: readonly string[]): void {
    batch(() => {
      this.#fresh.value = this.#waiting.size;
      this.#order.value = order;
      this.#revision.value = this.#revision.peek() + 1;
    });
  }

  #merged(entering: string[], leaving: ReadonlySet<string>): readonly string[] {
    entering.sort(newestFirst);
    const merged: string[] = [];
    let next = 0;
    for (const id of this.#order.peek()) {
      for (let newer = entering[next]; newer !== undefined && newer > id; newer = entering[next]) {
        merged.push(newer);
        next += 1;
      }
      if (!leaving.has(id)) merged.push(id);
    }
    for (; next < entering.length; next += 1) merged.push(entering[next] as string);
    for (const id of entering) this.#members.add(id);
    for (const id of leaving) this.#members.delete(id);
    return merged;
  }
}

function newestFirst(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}
