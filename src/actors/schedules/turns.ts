import { ownTurns, type SharedTurns } from '../../domain/shared-turns.ts';

/** What happens to one thing goes one after the other; what happens to different things does not wait. */
export class Turns {
  readonly #shared: SharedTurns;
  readonly #last = new Map<string, Promise<unknown>>();

  /** Of the nodes that share the store, where there are any. */
  constructor(shared: SharedTurns = ownTurns) {
    this.#shared = shared;
  }

  take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const begin = () => this.#shared.take(`schedule ${key}`, work);
    const turn = before.then(begin, begin);
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
