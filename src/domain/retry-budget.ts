/** The reason, in the log, of a hold by a retry budget. */
export const retryBudgetReason = 'RETRY_BUDGET';

/** Retries that are there before any attempt, so that a task that is seldom called is tried again at all. */
const retriesAtFirst = 10;
const mostRetries = 100;

/**
 * How many retries a task may have: each first attempt puts a share of one aside. Where most attempts fail, retries are
 * then no more than that share of the load. Source: the retry budgets of Finagle and Linkerd.
 */
export class RetryBudget {
  #retries = retriesAtFirst;

  /** A first attempt begins. */
  began(share: number): void {
    this.#retries = Math.min(mostRetries, this.#retries + share);
  }

  /** Takes one; false where none is left. */
  take(): boolean {
    // Shares that are added up are a little less than their sum.
    if (this.#retries < 1 - 1e-6) return false;
    this.#retries -= 1;
    return true;
  }
}
