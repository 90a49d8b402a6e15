/**
 * Callers who ask and do not take the answer. Whoever takes a part of what waits for them, however slowly, goes on;
 * who takes nothing for a while is hung up on. Those for whom nothing waits are not looked at: a watch of something
 * that does not happen may stand for as long as it likes.
 */
import type { Clock, Timer } from '../domain/clock.ts';

/** What is sent somewhere, such as an HTTP response or a stream of HTTP/2. */
export interface Sending {
  /** Bytes that its reader has not taken. What is written at once goes down at once. */
  readonly writableLength: number;
  once(event: 'close', listener: () => void): unknown;
}

/** What waits for a reader, as it was when that was last different. */
interface Waiting {
  readonly bytes: number;
  /** On the monotonic clock. */
  readonly since: number;
}

/** What is written at once is seen to be taken when all of it is: at this rate, in bytes a millisecond. */
const slowestRate = 16;
/** How often it is looked, as a part of the bound. */
const looks = 4;
/** … and in milliseconds at most: what waits in all may grow quickly. */
const longestLookMs = 1000;

export class StalledSends {
  readonly #clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  readonly #idleMs: number;
  readonly #mostBytes: number;
  readonly #open = new Map<Sending, () => void>();
  readonly #waiting = new Map<Sending, Waiting>();
  #timer: Timer;

  /**
   * `idleMs` is how long a reader may take nothing, in milliseconds; `mostBytes` may wait for all readers together:
   * where it is more, those are hung up on that have taken nothing for longest.
   */
  constructor(
    clock: Pick<Clock, 'monotonic' | 'setTimer'>,
    idleMs: number,
    mostBytes = Number.POSITIVE_INFINITY,
  ) {
    this.#clock = clock;
    this.#idleMs = idleMs;
    this.#mostBytes = mostBytes;
    this.#timer = this.#later();
  }

  /** Looks at it until it closes; `hangUp` is called once, where its reader takes nothing. */
  add(sending: Sending, hangUp: () => void): void {
    this.#open.set(sending, hangUp);
    sending.once('close', () => this.#leave(sending));
  }

  close(): void {
    this.#timer.cancel();
    this.#open.clear();
    this.#waiting.clear();
  }

  #later(): Timer {
    return this.#clock.setTimer(Math.min(this.#idleMs / looks, longestLookMs), () => {
      this.#timer = this.#later();
      let bytes = 0;
      for (const [sending, hangUp] of this.#open) {
        if (this.#isStalled(sending)) this.#end(sending, hangUp);
        else bytes += sending.writableLength;
      }
      if (bytes > this.#mostBytes) this.#shed(bytes - this.#mostBytes);
    });
  }

  /** Makes room of so many bytes. */
  #shed(bytes: number): void {
    const longest = [...this.#waiting].sort(([, a], [, b]) => a.since - b.since || b.bytes - a.bytes);
    let left = bytes;
    for (const [sending, waiting] of longest) {
      const hangUp = this.#open.get(sending);
      if (hangUp === undefined) continue;
      this.#end(sending, hangUp);
      left -= waiting.bytes;
      if (left <= 0) return;
    }
  }

  #isStalled(sending: Sending): boolean {
    const bytes = sending.writableLength;
    const known = this.#waiting.get(sending);
    const now = this.#clock.monotonic();
    if (bytes === 0) this.#waiting.delete(sending);
    else if (known?.bytes !== bytes) this.#waiting.set(sending, { bytes, since: now });
    else return now - known.since >= this.#idleMs + bytes / slowestRate;
    return false;
  }

  #end(sending: Sending, hangUp: () => void): void {
    this.#leave(sending);
    hangUp();
  }

  #leave(sending: Sending): void {
    this.#open.delete(sending);
    this.#waiting.delete(sending);
  }
}
