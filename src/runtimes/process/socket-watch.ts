import type { Clock, Timer } from '../../domain/clock.ts';
import type { Cell } from '../containment/cell.ts';

/** A program fills some hundred MB of buffers in this time. */
const everyMs = 100;

/** Looks at what the sockets of a cell hold, where the kernel only counts that. */
export class SocketWatch {
  readonly #cell: Cell;
  readonly #clock: Clock;
  readonly #onExceeded: () => void;
  #timer: Timer | undefined;

  constructor(cell: Cell, clock: Clock, onExceeded: () => void) {
    this.#cell = cell;
    this.#clock = clock;
    this.#onExceeded = onExceeded;
    if (cell.socketsExceedMemory() !== undefined) this.#wait();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #wait(): void {
    this.#timer = this.#clock.setTimer(everyMs, () => {
      if (this.#cell.socketsExceedMemory() === true) this.#onExceeded();
      else this.#wait();
    });
  }
}
