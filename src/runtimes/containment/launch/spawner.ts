import type { Child } from './child.ts';
import { type SpawnerOptions, SpawnerProcess } from './spawner-process.ts';
import type { SpawnRequest } from './spawner-protocol.ts';

/** Starts programs through a small process of its own, which is started with the first and again where it died. */
export class Spawner {
  readonly #options: SpawnerOptions;
  #process: SpawnerProcess | undefined;
  #closed = false;

  constructor(options: SpawnerOptions) {
    this.#options = options;
  }

  /**
   * Starts the process that starts programs, where it does not run: so that the first start need not wait for it.
   * Throws where that cannot be started.
   */
  warm(): void {
    if (!this.#closed) this.#current();
  }

  /**
   * Resolves at once where it has streams to spare. A program that cannot be started has an exit that says so. Rejects
   * where the process that starts programs cannot be started.
   */
  async spawn(request: SpawnRequest): Promise<Child> {
    return this.#current().spawn(request);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process?.close();
  }

  #current(): SpawnerProcess {
    if (this.#process === undefined || (this.#process.gone && !this.#closed)) {
      this.#process = new SpawnerProcess(this.#options);
    }
    return this.#process;
  }
}
