import { Worker } from 'node:worker_threads';
import { StoreError } from '../../store.ts';
import { busyTimeoutMs } from '../file/settings.ts';
import type { WriterAnswers, WriterReply, WriterRequest } from './writer-protocol.ts';

interface Waiting {
  readonly what: string;
  readonly resolve: (answer: WriterAnswers[keyof WriterAnswers]) => void;
  readonly reject: (error: Error) => void;
}

/** The store's end of its writer's thread. */
export class Writer {
  readonly #worker: Worker;
  readonly #waiting: Waiting[] = [];
  readonly #ready = Promise.withResolvers<void>();
  #nextPosition = 1;
  #changes = 0;
  #gone: Error | undefined;

  constructor(path: string) {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#worker = new Worker(new URL(`./writer-thread.${extension}`, import.meta.url), {
      workerData: { path, timeout: busyTimeoutMs },
      name: 'store-writer',
    });
    this.#worker.on('message', (reply: WriterReply) => this.#settle(reply));
    this.#worker.on('error', (error) =>
      this.#lose(error instanceof Error ? error : new Error(String(error))),
    );
    this.#worker.on('exit', () => this.#lose(new Error('it has ended')));
  }

  /** Every request to the thread has been answered. */
  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  /** The position after the last one that it has used. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /** The change counter of the last answered write; see Progress. */
  get changes(): number {
    return this.#changes;
  }

  /** Resolves when the thread has its connection. Rejects with StoreError where it cannot have one. */
  ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Rejects with StoreError where SQLite refused; nothing was written then. */
  send<Request extends WriterRequest>(
    what: string,
    request: Request,
  ): Promise<WriterAnswers[Request['kind']]> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== undefined) {
        reject(new StoreError(`${what}: the store is closed`, { cause: this.#gone }));
        return;
      }
      // Answers come in the order of the requests, each of the request's own kind.
      const waiting = { what, resolve: resolve as Waiting['resolve'], reject };
      this.#waiting.push(waiting);
      this.#worker.postMessage(request);
    });
  }

  /**
   * Asks for a checkpoint and does not wait; one that fails is made up for by the next. The writer is not idle
   * meanwhile: only a log that nobody adds to is copied whole, and begins anew instead of growing.
   */
  checkpoint(): void {
    const ignore = (): void => {};
    this.send('cannot checkpoint', { kind: 'checkpoint' }).then(ignore, ignore);
  }

  async close(): Promise<void> {
    if (this.#gone !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    await this.send('cannot close the store', { kind: 'close' });
    await exited;
  }

  #settle(reply: WriterReply): void {
    if (reply.kind === 'ready') {
      this.#changes = reply.changes;
      this.#ready.resolve();
      return;
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    if (reply.kind === 'done') {
      this.#nextPosition = reply.nextPosition;
      this.#changes = reply.changes;
      waiting.resolve(reply.answer);
    } else if (reply.kind === 'failed') {
      const { errstr, ...cause } = reply.failure;
      waiting.reject(new StoreError(`${waiting.what}: ${errstr}`, { cause }));
    } else waiting.reject(new Error(reply.message));
  }

  #lose(error: Error): void {
    this.#gone ??= error;
    const lost = new StoreError("the store's writer has ended", { cause: error });
    this.#ready.reject(lost);
    // Only `open` waits for this; later losses are heard by who writes.
    this.#ready.promise.catch(() => {});
    for (const { reject } of this.#waiting.splice(0)) reject(lost);
  }
}
