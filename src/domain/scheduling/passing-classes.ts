import type { WaitingClass } from './waiting-class.ts';

/** The classes that have to pass one gate, and that no gate holds; of most gates it is one at most. */
export class PassingClasses {
  #only: WaitingClass | undefined;
  #others: Set<WaitingClass> | undefined;

  get size(): number {
    return (this.#only === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  add(queue: WaitingClass): void {
    if (this.#only === undefined && this.#others === undefined) {
      this.#only = queue;
      return;
    }
    this.#others ??= new Set();
    this.#others.add(queue);
  }

  delete(queue: WaitingClass): void {
    if (queue === this.#only) this.#only = undefined;
    else if (this.#others?.delete(queue) === true && this.#others.size === 0) this.#others = undefined;
  }

  /** All of them, which are in it no more. */
  takeAll(): WaitingClass[] {
    const all = [...(this.#only === undefined ? [] : [this.#only]), ...(this.#others ?? [])];
    this.#only = undefined;
    this.#others = undefined;
    return all;
  }
}
