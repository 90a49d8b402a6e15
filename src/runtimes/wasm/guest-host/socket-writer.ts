import { writeSync } from 'node:fs';
import { untilDone } from './blocking-call.ts';

/** What another thread needs to write to the socket of its host, too. */
export interface SharedSocket {
  readonly fd: number;
  /** One 32-bit number: 1 while a thread writes. */
  readonly lock: SharedArrayBuffer;
}

/** Writes to a socket that threads share, each time all of what it is given and nothing of others in between. */
export class SocketWriter {
  readonly shared: SharedSocket;
  readonly #lock: Int32Array<SharedArrayBuffer>;

  constructor(shared: SharedSocket) {
    this.shared = shared;
    this.#lock = new Int32Array(shared.lock);
  }

  write(bytes: Uint8Array): void {
    while (Atomics.compareExchange(this.#lock, 0, 0, 1) !== 0) Atomics.wait(this.#lock, 0, 1);
    try {
      for (let at = 0; at < bytes.length; ) at += untilDone(() => writeSync(this.shared.fd, bytes, at));
    } finally {
      Atomics.store(this.#lock, 0, 0);
      Atomics.notify(this.#lock, 0, 1);
    }
  }
}
