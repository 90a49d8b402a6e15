/** Rows that one step of deleting may touch, … */
const mostRows = 128;
/** … and bytes of output: SQLite reads a page of each row for every 4 KiB that it deletes. */
const mostBytes = 2 * 1024 * 1024;

/** What is left of one step, so that no commit waits long behind it. */
export class Budget {
  #rows = mostRows;
  #bytes = mostBytes;

  get spent(): boolean {
    return this.#rows <= 0 || this.#bytes <= 0;
  }

  get rows(): number {
    return Math.max(0, this.#rows);
  }

  take(bytes: number): void {
    this.#rows -= 1;
    this.#bytes -= bytes;
  }
}
