/**
 * Keeps instances of one revision of a task ready: started ahead of time, each used once and then replaced.
 *
 * - `min` are kept always. An execution that found none raises what is kept by one, up to `max`; one beyond `min`
 *   that was ready for `idleTimeoutMs` without being used is ended, and what is kept falls with it.
 * - They are started one at a time, and not while the one just taken is likely to want the processor.
 * - One that writes or ends before it is taken is thrown away. After such a one, or after a start that failed, the
 *   pool waits, longer each time, so that a program that does not wait for its input cannot keep the node busy.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import type { InstanceReport } from '../../domain/instance.ts';
import type { WarmPolicy } from '../../domain/task.ts';
import type { Instance } from '../../runtimes/runtime.ts';

/** An instance, and what is told of it. */
export interface Held {
  readonly instanceId: string;
  readonly instance: Instance;
  readonly report: InstanceReport;
  /** The fingerprint of the secrets that it was started with. */
  readonly secrets: string;
}

export interface PoolOptions {
  readonly policy: WarmPolicy;
  readonly clock: Clock;
  /** Starts an instance that nobody has asked for yet. Rejects where that fails, with nothing left of it. */
  readonly launch: (signal: AbortSignal) => Promise<Held>;
  /** Hears why none is ready, for the log. */
  readonly failed: (reason: string) => void;
}

interface Ready extends Held {
  /** When it became ready, or was last found to be one of those that are always kept. */
  since: number;
}

/** How long the one that was just taken has the processor to itself, in milliseconds. */
const yieldMs = 100;
const firstWaitMs = 500;
const longestWaitMs = 60_000;

export class InstancePool {
  readonly #options: PoolOptions;
  readonly #closing = new AbortController();
  /** Oldest first. */
  readonly #ready: Ready[] = [];
  readonly #ending = new Set<Promise<unknown>>();
  #wanted: number;
  #filling: Promise<void> | undefined;
  #waitMs = 0;
  #pause: Timer | undefined;
  #shrink: Timer | undefined;
  #warmHits = 0;
  #coldStarts = 0;
  #spoiled = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#wanted = options.policy.min;
    this.#fill();
  }

  get counts(): { readonly warmHits: number; readonly coldStarts: number; readonly spoiled: number } {
    return { warmHits: this.#warmHits, coldStarts: this.#coldStarts, spoiled: this.#spoiled };
  }

  /**
   * A ready instance, which is the caller's from now on; undefined where there is none. `secrets` is what it has to have
   * been started with: one of before is thrown away.
   */
  take(secrets = ''): Held | undefined {
    let taken = this.#ready.shift();
    for (; taken !== undefined && taken.secrets !== secrets; taken = this.#ready.shift()) {
      void this.#discard(taken, 'its secrets have changed');
    }
    if (taken === undefined) {
      this.#coldStarts++;
      this.#wanted = Math.min(this.#options.policy.max, this.#wanted + 1);
      this.#fill();
      return undefined;
    }
    this.#warmHits++;
    if (this.#pause === undefined) this.#pauseFor(yieldMs);
    return taken;
  }

  /** Ends what is ready and starts no more. Resolves when nothing is left but what was taken. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#pause?.cancel();
    this.#shrink?.cancel();
    for (const held of this.#ready.splice(0)) void this.#discard(held, 'the pool was closed');
    await this.#filling;
    await Promise.all(this.#ending);
  }

  #fill(): void {
    if (this.#filling !== undefined || this.#pause !== undefined || this.#closing.signal.aborted) return;
    if (this.#ready.length >= this.#wanted) return;
    this.#filling = this.#startOne().finally(() => {
      this.#filling = undefined;
      this.#fill();
    });
  }

  async #startOne(): Promise<void> {
    const { launch, clock, failed } = this.#options;
    let held: Held;
    try {
      held = await launch(this.#closing.signal);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#setBack();
      failed(error instanceof Error ? error.message : String(error));
      return;
    }
    if (this.#closing.signal.aborted) {
      await this.#discard(held, 'the pool was closed');
      return;
    }
    const ready: Ready = { ...held, since: clock.monotonic() };
    this.#ready.push(ready);
    held.report.send({ type: 'ready' });
    void held.instance.spoiled.then((reason) => this.#onSpoiled(ready, reason));
    this.#scheduleShrink();
  }

  #onSpoiled(held: Ready, reason: string): void {
    const index = this.#ready.indexOf(held);
    if (index === -1) return;
    this.#ready.splice(index, 1);
    this.#spoiled++;
    void this.#discard(held, reason);
    this.#setBack();
    this.#options.failed(reason);
  }

  #setBack(): void {
    this.#waitMs = Math.min(longestWaitMs, Math.max(firstWaitMs, 2 * this.#waitMs));
    this.#pauseFor(this.#waitMs);
  }

  #pauseFor(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#pause?.cancel();
    this.#pause = this.#options.clock.setTimer(ms, () => {
      this.#pause = undefined;
      this.#fill();
    });
  }

  #scheduleShrink(): void {
    const { policy, clock } = this.#options;
    const [oldest] = this.#ready;
    if (this.#shrink !== undefined || oldest === undefined) return;
    const due = oldest.since + policy.idleTimeoutMs - clock.monotonic();
    this.#shrink = clock.setTimer(Math.max(0, due), () => {
      this.#shrink = undefined;
      this.#endIdle();
      this.#scheduleShrink();
    });
  }

  #endIdle(): void {
    const { policy, clock } = this.#options;
    const limit = clock.monotonic() - policy.idleTimeoutMs;
    const old = this.#ready.filter(({ since }) => since <= limit);
    // One that waited so long in peace shows that its program does wait.
    if (old.length > 0) this.#waitMs = 0;
    for (const held of old) {
      if (this.#ready.length > policy.min) {
        this.#ready.splice(this.#ready.indexOf(held), 1);
        this.#wanted = Math.max(policy.min, this.#wanted - 1);
        void this.#discard(held, 'idle');
      } else {
        held.since = clock.monotonic();
      }
    }
  }

  async #discard({ instance, report }: Held, reason: string): Promise<void> {
    report.send({ type: 'stop', reason });
    const ended = endReport(report, instance, instance.discard());
    this.#ending.add(ended);
    await ended;
    this.#ending.delete(ended);
  }
}

/** Tells of an instance's end, whether it was confirmed or not. */
export async function endReport(
  report: InstanceReport,
  instance: Instance,
  confirmed: Promise<boolean>,
): Promise<void> {
  if (!(await confirmed)) {
    report.send({ type: 'stuck', reason: 'could not be confirmed gone' });
    void instance.gone.then(() => report.send({ type: 'gone' }));
    return;
  }
  report.send({ type: 'gone' });
}
