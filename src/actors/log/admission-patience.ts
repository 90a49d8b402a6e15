/** What nobody waits for may stay uncommitted for so long, in milliseconds. */
export const lazyMs = 5;
/** The longest that an admission may: a list or a page may be as far behind what is only pending or running. */
const mostMs = 250;
/** What takes longer counts as this, so that one long run says nothing of many short ones. */
const mostCounted = 2 * mostMs;
/** How many runs the average is about. */
const runs = 64;

/**
 * How long an admission that nobody waits for may stay uncommitted: its result then comes with it, and both are one
 * entry, one row and one record. A node with many calls under way takes tens of milliseconds for the shortest, so it is
 * twice what runs took of late; where they take longer than the most, waiting would be for nothing.
 */
export class AdmissionPatience {
  #averageMs = 0;

  get ms(): number {
    const twice = Math.round(2 * this.#averageMs);
    return twice > mostMs ? lazyMs : Math.max(lazyMs, twice);
  }

  /** From the admission to the end of an execution whose admission nobody waited for. */
  took(ms: number): void {
    this.#averageMs += (Math.min(ms, mostCounted) - this.#averageMs) / runs;
  }
}
