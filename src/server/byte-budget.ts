import { RequestError } from '../domain/errors.ts';

/** How much of the budget large requests may use that are not whole yet: the rest is for those that are, and small ones. */
const shareOfArriving = 0.5;
const smallBytes = 64 * 1024;

/** Request bytes of all calls under way; past the budget a call is refused rather than let the node run out of memory. */
export class ByteBudget {
  readonly #most: number;
  #used = 0;
  #arriving = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Bytes of all requests together, also of those that still arrive. */
  get used(): number {
    return this.#used + this.#arriving;
  }

  /** Throws resource_exhausted where the budget has no room; a single request always has. */
  take(bytes: number): void {
    if (this.#used > 0 && this.used + bytes > this.#most) throw this.full();
    this.#used += bytes;
  }

  give(bytes: number): void {
    this.#used -= bytes;
  }

  /**
   * Counts bytes of a request of which `held` are here and counted; false where there is no room for them. One that
   * arrives alone always has.
   */
  arrive(bytes: number, held: number): boolean {
    const others = this.used - held;
    const isSmall = held + bytes <= smallBytes;
    const over =
      this.used + bytes > this.#most || (!isSmall && this.#arriving + bytes > shareOfArriving * this.#most);
    if (others > 0 && over) return false;
    this.#arriving += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.#arriving -= bytes;
  }

  /** What a request hears that has no room. */
  full(): RequestError {
    return new RequestError(
      'resource_exhausted',
      `requests of ${this.used} bytes are under way; allowed are ${this.#most} in all, and half of it for those that still arrive`,
      { reason: 'REQUEST_BYTES_IN_FLIGHT', quota: 'request-bytes-in-flight', retryAfterMs: 500 },
    );
  }
}
