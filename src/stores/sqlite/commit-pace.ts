/** A commit that blocks the node may take so long on average, in milliseconds. */
const quickMs = 2;
/** A single slow commit, such as one that a busy disk delays, counts as no more than this. */
const mostCountedMs = 8;
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
    this.#averageMs += (Math.min(ms, mostCountedMs) - this.#averageMs) / 16;
    if (this.#averageMs <= quickMs) return;
    this.#averageMs = quickMs;
    this.rest();
  }

  /** For a while, commits go elsewhere. */
  rest(): void {
    this.#rest = restCommits;
  }
}
