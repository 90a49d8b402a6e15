/**
 * Turns of nodes: a row for each thing that something is done to, with the run of the node that does it. Who may not
 * write any more has no turn: what it still tries to write is refused, and another node takes the turn from it.
 */
import type { Clock } from '../../domain/clock.ts';
import type { SharedTurns } from '../../domain/shared-turns.ts';
import { StoreError } from '../store.ts';
import type { Changes } from './write/changes.ts';

/** A turn that another node has is asked for again after so many milliseconds, … */
const againMs = 25;
/** … for so long: by then a node that hangs has been fenced. */
const patienceMs = 10_000;
/** A turn that could not be given back is so again. */
const giveBackMs = 1000;

export class PostgresTurns implements SharedTurns {
  readonly #changes: Pick<Changes, 'call'>;
  readonly #clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** Those that work, and wait for one another on this node, by what they are about. */
  readonly #takers = new Map<string, number>();

  constructor(changes: Pick<Changes, 'call'>, clock: Pick<Clock, 'monotonic' | 'setTimer'>) {
    this.#changes = changes;
    this.#clock = clock;
  }

  async take<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    this.#takers.set(key, (this.#takers.get(key) ?? 0) + 1);
    try {
      await this.#begin(key);
      return await work();
    } finally {
      const left = (this.#takers.get(key) ?? 1) - 1;
      if (left > 0) this.#takers.set(key, left);
      else {
        this.#takers.delete(key);
        await this.#giveBack(key);
      }
    }
  }

  async #begin(key: string): Promise<void> {
    const until = this.#clock.monotonic() + patienceMs;
    while ((await this.#changes.call('cannot take a turn', 'take_turn', [key])) !== true) {
      if (this.#clock.monotonic() >= until) {
        throw new StoreError(`another node does something to ${key}, and does not come to an end`);
      }
      await new Promise<void>((resolve) => void this.#clock.setTimer(againMs, resolve));
    }
  }

  async #giveBack(key: string): Promise<void> {
    // Who takes it here meanwhile gives it back.
    if (this.#takers.has(key)) return;
    try {
      await this.#changes.call('cannot give a turn back', 'give_turn_back', [key]);
    } catch (error) {
      // One that is fenced has none.
      if (error instanceof StoreError) this.#clock.setTimer(giveBackMs, () => void this.#giveBack(key));
    }
  }
}
