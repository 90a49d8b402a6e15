import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../domain/clock.ts';
import { entryUrl } from '../../entry.ts';

/** A folder that cannot be removed now, for want of descriptors, say, is tried again: so often, after a pause. */
const maxTries = 60;
const pauseMs = 1000;

export interface RemovalRequest {
  readonly id: number;
  readonly path: string;
}

export interface RemovalReply {
  readonly id: number;
  /** Empty where the folder is gone. */
  readonly failure: string;
}

/** Removes folders outside of the node's main thread. The thread is started with the first. */
export class FolderEmptier {
  readonly #clock: Clock;
  readonly #asked = new Map<number, (failure: string) => void>();
  #thread: Worker | undefined;
  #next = 0;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves with whether the folder is gone, at most after so many tries. See removeFolder. */
  async remove(path: string, tries = maxTries): Promise<boolean> {
    for (let tried = 0; tried < tries && !this.#closed; tried += 1) {
      if (tried > 0) await this.#pause();
      if ((await this.#ask(path)) === '') return true;
    }
    return false;
  }

  /** What was not removed by then is answered with false. */
  async close(): Promise<void> {
    this.#closed = true;
    // One that nobody waits for would not keep the node up for its own end.
    this.#thread?.ref();
    await this.#thread?.terminate();
  }

  #ask(path: string): Promise<string> {
    if (this.#closed) return Promise.resolve('closed');
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#next += 1;
    this.#asked.set(this.#next, resolve);
    this.#current().postMessage({ id: this.#next, path } satisfies RemovalRequest);
    return promise;
  }

  #current(): Worker {
    if (this.#thread !== undefined) return this.#thread;
    const thread = new Worker(entryUrl('./folder-emptier-thread', import.meta.url), {
      env: {},
      execArgv: [],
    });
    thread.unref();
    thread.on('message', ({ id, failure }: RemovalReply) => this.#answer(id, failure));
    // Its end follows.
    thread.on('error', () => {});
    thread.on('exit', () => {
      this.#thread = undefined;
      for (const id of [...this.#asked.keys()]) this.#answer(id, 'the thread has ended');
    });
    this.#thread = thread;
    return thread;
  }

  #answer(id: number, failure: string): void {
    this.#asked.get(id)?.(failure);
    this.#asked.delete(id);
  }

  #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.setTimer(pauseMs, resolve);
    return promise;
  }
}
