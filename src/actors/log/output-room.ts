import type { Store } from '../../stores/store.ts';

/** What a chunk takes beside its bytes, about. */
const chunkOverhead = 64;
/** Of output, while the disk is full: what one execution may still write, in bytes, … */
const mostOfOne = 65 * 1024;
/** … and what all may, an eighth of the reserve: the rest is for what becomes of them. */
const mostOfAll = 32 * mostOfOne;

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

  /** The disk is nearly full: output has to ask for room with `take`. */
  get scarce(): boolean {
    if (this.#store.lowSpace) return true;
    if (this.#total > 0) this.#reset();
    return false;
  }

  /** Takes room for a chunk of so many bytes, or for a value; false where there is none for all of it. */
  take(executionId: string, bytes: number): boolean {
    const needed = bytes + chunkOverhead;
    const own = (this.#taken.get(executionId) ?? 0) + needed;
    if (own > mostOfOne || this.#total + needed > mostOfAll) return false;
    this.#taken.set(executionId, own);
    this.#total += needed;
    return true;
  }

  #reset(): void {
    this.#total = 0;
    this.#taken.clear();
  }
}
