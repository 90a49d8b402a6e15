import type { Store } from '../stores/store.ts';

/** Of output, while the disk is full: what one execution may still write, in bytes, … */
const mostOfOne = 64 * 1024;
/** … and what all may, an eighth of the reserve: the rest is for what becomes of them. */
const mostOfAll = 2 * 1024 * 1024;

/** What an execution is told whose output found no room. */
export const noRoomMessage = 'the disk of the node is full, and takes no more output of it';

/**
 * How much room output has. While the disk is full, results and transitions are written to a reserve that a flood of
 * output would use up: then no execution could end.
 */
export class OutputRoom {
  readonly #store: Pick<Store, 'lowSpace'>;
  readonly #taken = new Map<string, number>();
  #total = 0;

  constructor(store: Pick<Store, 'lowSpace'>) {
    this.#store = store;
  }

  /** Output must ask for its room. */
  get scarce(): boolean {
    if (this.#store.lowSpace) return true;
    if (this.#total > 0) this.#reset();
    return false;
  }

  /** Takes room for so many bytes of an execution's; false where there is none for all of them. */
  take(executionId: string, bytes: number): boolean {
    const own = (this.#taken.get(executionId) ?? 0) + bytes;
    if (own > mostOfOne || this.#total + bytes > mostOfAll) return false;
    this.#taken.set(executionId, own);
    this.#total += bytes;
    return true;
  }

  #reset(): void {
    this.#total = 0;
    this.#taken.clear();
  }
}
