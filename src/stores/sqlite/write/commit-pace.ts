/** A commit that blocks the node may take so long on average, in milliseconds. */
const quickMs = 2;
/** One that takes so long is felt by every call: the next ones go elsewhere at once. */
const stallMs = 8;
/** Once they are too slow, so many commits go elsewhere before one is tried again. */
const restCommits = 256;

/** Whether commits in place are quick enough these days to be made in place. */
export class CommitPace {
  #averageMs = 0;
  #rest = 0;

  /** Counts a commit, and says whether it may be made in place. */
  allows(): boolean {
    if (this.#rest === 0) return true;
    this.#rest -= 1;
    return false;
  }

  took(ms: number): void {
    this.#averageMs += (Math.min(ms, stallMs) - this.#averageMs) / 16;
    if (this.#averageMs <= quickMs && ms < stallMs) return;
    this.#averageMs = Math.min(this.#averageMs, quickMs);
    this.rest();
  }

  /** For a while, commits go elsewhere. */
  rest(): void {
    this.#rest = restCommits;
  }
}
