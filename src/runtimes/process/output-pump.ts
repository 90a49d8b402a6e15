import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Clock } from '../../domain/clock.ts';
import type { OutputStream } from '../../domain/event.ts';
import type { AttemptIo } from '../runtime.ts';

/** How often a stream is looked at when all that could write to it is dead, in milliseconds. One that is quiet has ended. */
const lookIntervalMs = 250;
/**
 * What a socket can hold, so what may come when all that could write is dead: in bytes, and in looks
 * between which it was read without a pause. What comes after it is written by somebody else.
 */
const maxHeldLooks = 8;
const minHeldBytes = 16 * 1024 * 1024;

/** Carries one stream of a program to where its output goes, no faster than it is taken there. */
export class OutputPump {
  /** Resolves when the stream has ended and everything was handed over. */
  readonly done: Promise<void>;
  readonly #stream: Readable;
  readonly #name: OutputStream;
  readonly #onEarly: () => void;
  /** What came before there was somewhere to put it; the stream stands still then. */
  readonly #early: Buffer[] = [];
  #io: AttemptIo | undefined;
  #bytes = 0;
  /** Nothing is taken beyond. */
  #end = Number.POSITIVE_INFINITY;

  /** `onEarly` hears of output that comes before `open`. */
  constructor(stream: Readable, name: OutputStream, onEarly: () => void) {
    this.#stream = stream;
    this.#name = name;
    this.#onEarly = onEarly;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    stream.on('data', (data: Buffer) => this.#take(data));
    // A broken pipe ends it as its end does.
    stream.on('error', () => {});
    stream.on('close', resolve);
  }

  open(io: AttemptIo): void {
    this.#io = io;
    const early = this.#early.splice(0);
    if (early.length === 0) return;
    this.#stream.resume();
    for (const data of early) this.#write(io, data);
  }

  /** Takes no more, and forgets what came. */
  drop(): void {
    this.#early.length = 0;
    this.#stream.destroy();
  }

  /**
   * All that could write is dead, so the end is near; but a copy of the descriptor may have been given to a process
   * that is not ours, which can go on writing. Resolves when everything was handed over.
   */
  async finish(clock: Clock): Promise<void> {
    let before = -1;
    let looks = 0;
    this.#end = this.#bytes + heldBytes();
    const look = () => {
      const paused = this.#stream.isPaused();
      if (!paused) looks += 1;
      const quiet = this.#bytes === before && !paused;
      if (quiet || looks > maxHeldLooks) this.#stream.destroy();
      before = this.#bytes;
      timer = clock.setTimer(lookIntervalMs, look);
    };
    let timer = clock.setTimer(lookIntervalMs, look);
    await this.done;
    timer.cancel();
  }

  #take(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > this.#end) {
      this.#stream.destroy();
      return;
    }
    if (this.#io !== undefined) {
      this.#write(this.#io, data);
      return;
    }
    this.#early.push(data);
    this.#stream.pause();
    this.#onEarly();
  }

  #write(io: AttemptIo, data: Buffer): void {
    const wait = io.write(this.#name, data);
    if (wait === undefined) return;
    this.#stream.pause();
    void wait.then(() => this.#stream.resume());
  }
}

/** A program may have asked for more than is usual, up to twice the system's maximum. Source: socket(7). */
function heldBytes(): number {
  try {
    return Math.max(minHeldBytes, 2 * Number(readFileSync('/proc/sys/net/core/wmem_max', 'latin1')));
  } catch {
    // A system that does not say so has the usual.
    return minHeldBytes;
  }
}
