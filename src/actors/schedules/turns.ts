/** What happens to one thing goes one after the other; what happens to different things does not wait. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled: Promise<void> = turn.then(
      () => this.#leave(key, settled),
      () => this.#leave(key, settled),
    );
    this.#last.set(key, settled);
    return turn;
  }

  #leave(key: string, turn: Promise<unknown>): void {
    if (this.#last.get(key) === turn) this.#last.delete(key);
  }
}
