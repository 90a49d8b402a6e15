import type { Clock, Timer } from '../../domain/clock.ts';
import type { OutputStream } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { Limits } from '../../domain/task.ts';
import { OpenChunk } from './open-chunk.ts';

/** What is counted of an execution's output. */
type Counts = { -readonly [Key in 'outputBytes' | 'outputEvents' | 'droppedBytes']: ExecutionRecord[Key] };

export interface OutputWriterOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** Kept up to date with each write, the open chunk included. */
  readonly counts: Counts;
  /** A chunk is full, or has waited for others for long enough. */
  chunk(stream: OutputStream, data: Uint8Array): void;
  /** Called once, from within `write` or `end`. */
  limitReached(message: string): void;
}

/** A write that is small waits this long for others to share its chunk, in milliseconds. */
const joinMs = 5;

/** Joins what an attempt writes to chunks, and cuts it where it reaches a limit of its task. */
export class OutputWriter {
  readonly #options: OutputWriterOptions;
  #open: OpenChunk | undefined;
  #timer: Timer | undefined;
  #limited = false;

  constructor(options: OutputWriterOptions) {
    this.#options = options;
  }

  /** What is counted already and in no chunk yet. */
  get unfinished(): { readonly bytes: number; readonly events: number } {
    return { bytes: this.#open?.bytes ?? 0, events: this.#open === undefined ? 0 : 1 };
  }

  /** Takes over `data`, and returns how many bytes of it are within the limits. */
  write(stream: OutputStream, data: Uint8Array): number {
    const { counts, limits } = this.#options;
    if (this.#limited) {
      counts.droppedBytes += data.byteLength;
      return 0;
    }
    const room = limits.maxOutputBytes - counts.outputBytes;
    let rest = data;
    let message: string | undefined;
    if (rest.byteLength > room) {
      message = `more than ${limits.maxOutputBytes} bytes of output`;
      counts.droppedBytes += rest.byteLength - room;
      rest = rest.subarray(0, room);
    }
    let written = 0;
    while (rest.byteLength > 0) {
      const chunk = this.#chunkFor(stream);
      if (chunk === undefined) {
        message = `more than ${limits.maxOutputEvents} chunks of output`;
        counts.droppedBytes += rest.byteLength;
        break;
      }
      const taken = chunk.add(rest);
      rest = rest.subarray(taken);
      counts.outputBytes += taken;
      written += taken;
      if (chunk.full) this.flush();
    }
    if (message !== undefined) {
      this.#limited = true;
      this.flush();
      this.#options.limitReached(message);
    }
    return written;
  }

  /** Takes no more, for another reason than a limit of the task. What is in no chunk yet is dropped. */
  end(message: string): void {
    const { counts, limitReached } = this.#options;
    const { bytes, events } = this.unfinished;
    counts.outputBytes -= bytes;
    counts.outputEvents -= events;
    counts.droppedBytes += bytes;
    this.discard();
    if (this.#limited) return;
    this.#limited = true;
    limitReached(message);
  }

  /** Ends the open chunk, if there is one. */
  flush(): void {
    const chunk = this.#open;
    if (chunk === undefined) return;
    this.#open = undefined;
    this.#options.chunk(chunk.stream, chunk.join());
  }

  /** Forgets the open chunk. */
  discard(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#open = undefined;
  }

  #chunkFor(stream: OutputStream): OpenChunk | undefined {
    if (this.#open !== undefined && this.#open.stream !== stream) this.flush();
    if (this.#open === undefined) {
      const { clock, counts, limits } = this.#options;
      if (counts.outputEvents >= limits.maxOutputEvents) return undefined;
      counts.outputEvents++;
      this.#open = new OpenChunk(stream);
      this.#timer ??= clock.setTimer(joinMs, () => {
        this.#timer = undefined;
        this.flush();
      });
    }
    return this.#open;
  }
}
