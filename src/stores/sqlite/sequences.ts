/** How many logs' last sequence numbers are kept; the rest are read from their segments. */
const capacity = 16_384;

/** The last sequence numbers of logs that were written lately. Only a cache: it may forget anything. */
export class LastSequences {
  readonly #numbers = new Map<string, number>();

  get(executionId: string): number | undefined {
    return this.#numbers.get(executionId);
  }

  set(executionId: string, lastSequence: number): void {
    // Deleted first, so that the map's order is the order of use.
    if (!this.#numbers.delete(executionId) && this.#numbers.size >= capacity) {
      for (const oldest of this.#numbers.keys()) {
        this.#numbers.delete(oldest);
        break;
      }
    }
    this.#numbers.set(executionId, lastSequence);
  }

  delete(executionId: string): void {
    this.#numbers.delete(executionId);
  }

  clear(): void {
    this.#numbers.clear();
  }
}
