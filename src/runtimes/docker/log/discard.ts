import type { OutputStream } from '../../../domain/event.ts';
import type { OutputPosition } from '../../runtime.ts';

/** Leaves out so many bytes at the beginning of each stream. */
export class Discard {
  readonly #left: Record<OutputStream, number>;

  constructor(position: OutputPosition) {
    this.#left = { ...position };
  }

  /** Everything was there that had to be left out. */
  get done(): boolean {
    return this.#left.stdout === 0 && this.#left.stderr === 0;
  }

  /** What of `data` is not left out; may be empty. */
  rest(stream: OutputStream, data: Uint8Array): Uint8Array {
    const left = this.#left[stream];
    if (left === 0) return data;
    const skipped = Math.min(left, data.length);
    this.#left[stream] = left - skipped;
    return data.subarray(skipped);
  }
}
