import { leaveStopMark } from '../stores/stop-mark.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Core } from './core.ts';
import type { Front } from './front.ts';

export interface DrainOptions {
  readonly core: Core;
  readonly front: Front;
  readonly dataDir: string;
  /** How long what runs may go on, in milliseconds. */
  readonly drainMs: number;
  /** Closes all that is open. */
  readonly opened: AsyncDisposableStack;
  readonly logger: Logger;
}

/** How long a stop waits for the last commits, in milliseconds. */
const lastCommitsMs = 10_000;

/** The end of a node's run. */
export class Drain {
  readonly #options: DrainOptions;
  #begun: Promise<void> | undefined;
  #hurry = (): void => {};
  #isHurried = false;

  constructor(options: DrainOptions) {
    this.#options = options;
  }

  /** See Node.drain. */
  begin(): Promise<void> {
    if (this.#begun === undefined) this.#begun = this.#run();
    else {
      this.#isHurried = true;
      this.#hurry();
    }
    return this.#begun;
  }

  async #run(): Promise<void> {
    const { core, front, dataDir, drainMs, opened, logger } = this.#options;
    const { lifecycle, supervisor, feed, inspection, membership } = core;
    lifecycle.send({ type: 'drain' });
    front.setServing(false);
    supervisor.stopAccepting();
    membership.leaving();
    await this.#withWaitNotice(core.schedules.stop(), lastCommitsMs);
    logger.info({ ...supervisor.load }, 'draining');
    const given = supervisor.giveAway();
    // Whoever asked again while the schedules were stopped meant what runs.
    if (!this.#isHurried) await this.#withWaitNotice(supervisor.quiet(), drainMs);
    // Others take what rests while what runs is ended.
    if (membership.mayAct()) await this.#withWaitNotice(given, lastCommitsMs);
    // A store that does not work must not keep the node from stopping: what it has not taken is found at the next start.
    await this.#withWaitNotice(supervisor.leave(), lastCommitsMs);
    supervisor.close();
    if (membership.incarnation !== 0) {
      // Others run again what this node was running: nothing of it may be left by then.
      await core.endRuntimes();
      await membership.handOver();
    }
    feed.close();
    inspection.close();
    await leaveStopMark(dataDir);
    await opened.disposeAsync();
    lifecycle.send({ type: 'drained' });
    logger.info('stopped');
  }

  /** Resolves with `work`, after `ms`, or when somebody hurries. */
  #withWaitNotice(work: Promise<void>, ms: number): Promise<void> {
    const over = new Promise<void>((resolve) => {
      this.#hurry = resolve;
      this.#options.core.clock.setTimer(ms, resolve);
    });
    return Promise.race([work, over]);
  }
}
