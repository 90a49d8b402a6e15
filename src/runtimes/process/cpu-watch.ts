import { availableParallelism } from 'node:os';
import type { Clock, Timer } from '../../domain/clock.ts';
import type { Limits } from '../../domain/task.ts';
import type { Cell } from '../containment/cells/cell.ts';

const minDelayMs = 10;
const maxDelayMs = 2 ** 31 - 1;

/** Looks at the CPU time of a cell whenever it could be used up at the earliest. Does nothing without a limit. */
export class CpuWatch {
  readonly #cell: Cell;
  readonly #clock: Clock;
  readonly #cores: number;
  readonly #onSpent: () => void;
  #timer: Timer | undefined;

  constructor(cell: Cell, { cpuTimeMs, cpu }: Limits, clock: Clock, onSpent: () => void) {
    this.#cell = cell;
    this.#clock = clock;
    this.#onSpent = onSpent;
    this.#cores = Math.min(availableParallelism(), cpu ?? Number.POSITIVE_INFINITY);
    if (cpuTimeMs !== undefined) this.#wait(cpuTimeMs, cpuTimeMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(leftMs: number, limitMs: number): void {
    const delay = Math.min(maxDelayMs, Math.max(minDelayMs, leftMs / this.#cores));
    this.#timer = this.#clock.setTimer(delay, () => {
      const left = limitMs - (this.#cell.cpuTimeUs() ?? 0) / 1000;
      if (left <= 0) this.#onSpent();
      else this.#wait(left, limitMs);
    });
  }
}
