import type { Writable } from 'node:stream';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';

/** Messages that wait for a reader, of up to 64 KiB each. grpc-js itself takes 16, which cost memory for each reader that does not read. */
const mostWaiting = 4;

type Call = ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>;

/** Sends the messages of a stream at its reader's pace. */
export class MessageOutput {
  readonly #call: Call;
  readonly #most: number;
  #waiting = 0;
  #wake: (() => void) | undefined;

  constructor(call: Call, most = mostWaiting) {
    this.#call = call;
    this.#most = most;
  }

  /** A promise means wait before the next. */
  send(message: unknown): Promise<void> | undefined {
    this.#waiting += 1;
    this.#call.write(message, this.#passed);
    return this.#waiting < this.#most ? undefined : this.#room();
  }

  readonly #passed = (): void => {
    this.#waiting -= 1;
    if (this.#waiting < this.#most) this.#wake?.();
  };

  /** Resolves when the stream takes more, or never will: after a cancel grpc-js says nothing of what was written. */
  #room(): Promise<void> {
    const call = this.#call;
    return new Promise((resolve) => {
      const stream: Writable = call;
      const events = ['cancelled', 'close', 'error'];
      const done = (): void => {
        this.#wake = undefined;
        for (const event of events) stream.off(event, done);
        resolve();
      };
      if (call.cancelled || call.destroyed) resolve();
      else {
        this.#wake = done;
        for (const event of events) stream.on(event, done);
      }
    });
  }
}
