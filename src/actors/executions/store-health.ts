/**
 * Whether the store can be used, as the operator of the node hears it. Of writes the committer says so; of reads whoever
 * could not read, and that it works again is found out here: nobody else need ask.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { Store } from '../../stores/store.ts';

/** A store that could not be read is read again after so many milliseconds. */
const readAgainMs = 1000;

export class StoreHealth {
  readonly #store: Pick<Store, 'execution'>;
  readonly #clock: Pick<Clock, 'setTimer'>;
  readonly #tell: (fault: Error | undefined) => void;
  #write: Error | undefined;
  #read: Error | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(
    store: Pick<Store, 'execution'>,
    clock: Pick<Clock, 'setTimer'>,
    tell: (fault: Error | undefined) => void,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#tell = tell;
  }

  /** It could not be written, or with undefined can be again. */
  written(fault: Error | undefined): void {
    this.#write = fault;
    this.#tell(fault ?? this.#read);
  }

  /** What a caller or another node is refused is no fault of the store. */
  readFailed(error: unknown): void {
    if (this.#closed || error instanceof RequestError) return;
    this.#read = error instanceof Error ? error : new Error(String(error));
    this.#tell(this.#write ?? this.#read);
    this.#timer ??= this.#clock.setTimer(readAgainMs, () => void this.#readAgain());
  }

  /** Somebody could read who could not before. */
  readWorks(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#read === undefined) return;
    this.#read = undefined;
    if (this.#write === undefined) this.#tell(undefined);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #readAgain(): Promise<void> {
    this.#timer = undefined;
    try {
      // Of nobody: that it is read is enough.
      await this.#store.execution('');
      this.readWorks();
    } catch (error) {
      this.readFailed(error);
    }
  }
}
