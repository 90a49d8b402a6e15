import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { InnocentCall, Phase } from './history.ts';

export type InnocentOrder =
  | { readonly kind: 'phase'; readonly phase: Phase }
  | { readonly kind: 'burst'; readonly times: number }
  | { readonly kind: 'stop' };

/** All calls so far; the order is carried out then. */
export type InnocentAnswer = readonly InnocentCall[];

/** The innocent calls, from a thread of their own; orders are carried out one at a time. */
export class InnocentCaller {
  readonly #worker: Worker;

  constructor(grpcAddress: string, seed: number) {
    const workerData = { grpcAddress, seed };
    this.#worker = new Worker(new URL('./innocent-thread.ts', import.meta.url), { workerData });
  }

  /** Of the calls that begin from now on. */
  async setPhase(phase: Phase): Promise<void> {
    await this.#order({ kind: 'phase', phase });
  }

  /** Calls each so often at once, for what a node keeps ready to be there. */
  async burst(times: number): Promise<void> {
    await this.#order({ kind: 'burst', times });
  }

  /** Resolves when every call has its end. */
  async stop(): Promise<readonly InnocentCall[]> {
    return this.#order({ kind: 'stop' });
  }

  async #order(order: InnocentOrder): Promise<InnocentAnswer> {
    const answered = once(this.#worker, 'message');
    this.#worker.postMessage(order);
    const [answer] = (await answered) as [InnocentAnswer];
    return answer;
  }
}
