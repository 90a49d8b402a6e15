import type { Clock, Timer } from '../../../domain/clock.ts';

/** A program fills some hundred MB of buffers in this time. */
const everyMs = 100;

/** Looks at whether the sockets of an instance hold too much, where the kernel only counts that. */
export class SocketWatch {
  readonly #exceeds: () => boolean | undefined;
  readonly #clock: Clock;
  readonly #onExceeded: () => void;
  #timer: Timer | undefined;

  /** `exceeds` tells undefined where it need not be asked again. */
  constructor(clock: Clock, exceeds: () => boolean | undefined, onExceeded: () => void) {
    this.#exceeds = exceeds;
    this.#clock = clock;
    this.#onExceeded = onExceeded;
    this.#look();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #look(): void {
    const exceeds = this.#exceeds();
    if (exceeds === true) this.#onExceeded();
    else if (exceeds === false) this.#timer = this.#clock.setTimer(everyMs, () => this.#look());
  }
}
