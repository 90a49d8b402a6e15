/**
 * Group commit: what many executions did in one turn of the event loop shares one transaction.
 *
 * - One commit is in flight at a time; what comes meanwhile is in the next.
 * - A log that nobody waits for may stay uncommitted for `lazyMs`, and one that begins for as long as runs take of late
 *   (`AdmissionPatience`), so that the admission and the outcome of a short execution share a row write.
 * - A commit has about `mostBytes` of output, so that the store's own log of it stays small; the rest is in the next.
 * - A medium that fails is tried again until it works. New executions in the failed commit are refused; accepted
 *   ones keep what they have (I8) and `healthy` is false meanwhile.
 * - A commit whose answer was lost is made again as it was, until it is known what became of it: those in it are neither
 *   refused nor accepted before.
 * - A node that is fenced commits nothing any more.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import { type CommitEntry, type CommitResult, Fenced, InDoubtError, type Store } from '../../stores/store.ts';
import { AdmissionPatience, lazyMs } from './admission-patience.ts';
import type { LiveLog } from './live-log.ts';

export interface CommitListener {
  /** All that `log` had given is durable; `events` are what was new of it. */
  committed(log: LiveLog): void;
  /** The admission was refused: the store could not take it, or something there is against it. */
  refused(log: LiveLog, conflict: AdmissionConflict | undefined): void;
  /** The medium failed, or works again. */
  health(error: Error | undefined): void;
  /** Other nodes have taken over what this one had. */
  fenced(error: Error): void;
}

interface Batch {
  readonly logs: readonly LiveLog[];
  readonly entries: readonly CommitEntry[];
}

/** Another execution owns the invocation id, or one that it follows is not there any more. */
export type AdmissionConflict = { readonly ownerId: string } | { readonly lacking: string };

const mostBytes = 8 * 1024 * 1024;
const firstRetryMs = 50;
const longestRetryMs = 1000;

export class Committer {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #listener: CommitListener;
  readonly #patience = new AdmissionPatience();
  #queue: LiveLog[] = [];
  #lazy: LiveLog[] = [];
  #lazyTimer: Timer | undefined;
  #scheduled = false;
  #committing = false;
  #retryMs = 0;
  /** Whose answer was lost. */
  #inDoubt: Batch | undefined;
  #isFenced = false;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(store: Store, clock: Clock, listener: CommitListener) {
    this.#store = store;
    this.#clock = clock;
    this.#listener = listener;
  }

  get healthy(): boolean {
    return this.#retryMs === 0 && !this.#isFenced;
  }

  /** Logs that wait for a commit. */
  get backlog(): number {
    return this.#queue.length;
  }

  touch(log: LiveLog, urgent: boolean): void {
    if (log.sealed && log.begunAt !== undefined) {
      this.#patience.took(this.#clock.monotonic() - log.begunAt);
      log.begunAt = undefined;
    }
    if (log.queued) return;
    if (urgent) {
      this.#enqueue(log);
    } else if (log.lazySince === undefined) {
      log.lazySince = this.#clock.monotonic();
      if (log.committedSequence === 0) log.begunAt ??= log.lazySince;
      this.#lazy.push(log);
      this.#lazyTimer ??= this.#clock.setTimer(lazyMs, () => this.#promote());
    }
  }

  /** Resolves when nothing is left to commit. */
  async drained(): Promise<void> {
    this.#promote(true);
    while (this.#committing || this.#queue.length > 0 || this.#inDoubt !== undefined) {
      this.#idle ??= Promise.withResolvers();
      await this.#idle.promise;
    }
  }

  #enqueue(log: LiveLog): void {
    log.queued = true;
    log.lazySince = undefined;
    this.#queue.push(log);
    this.#schedule();
  }

  #promote(all = false): void {
    this.#lazyTimer = undefined;
    const now = this.#clock.monotonic();
    const patienceMs = this.#patience.ms;
    let nextMs = lazyMs;
    const waiting: LiveLog[] = [];
    for (const log of this.#lazy) {
      if (log.queued) log.lazySince = undefined;
      if (log.lazySince === undefined) continue;
      const leftMs = log.lazySince - now + (log.committedSequence === 0 ? patienceMs : lazyMs);
      if (all || leftMs <= 0) this.#enqueue(log);
      else {
        waiting.push(log);
        nextMs = Math.min(nextMs, leftMs);
      }
    }
    this.#lazy = waiting;
    if (waiting.length > 0) this.#lazyTimer = this.#clock.setTimer(nextMs, () => this.#promote());
  }

  #schedule(): void {
    if (this.#isFenced) return;
    if (this.#scheduled || this.#committing || (this.#queue.length === 0 && this.healthy)) return;
    this.#scheduled = true;
    if (this.#retryMs > 0) this.#clock.setTimer(this.#retryMs, () => void this.#flush());
    else setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    this.#committing = true;
    const { logs, entries } = this.#inDoubt ?? this.#taken();
    let results: readonly CommitResult[] | undefined;
    try {
      // Without entries it asks a medium that failed whether it works again.
      if (entries.length > 0 || !this.healthy) {
        results = await this.#store.commit(entries);
        this.#inDoubt = undefined;
        this.#recovered();
      }
    } catch (error) {
      this.#failed({ logs, entries }, error instanceof Error ? error : new Error(String(error)));
    }
    this.#committing = false;
    if (results !== undefined) this.#settle(logs, results);
    this.#schedule();
    if (this.#queue.length === 0 && this.#inDoubt === undefined) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  #taken(): Batch {
    const logs: LiveLog[] = [];
    const entries: CommitEntry[] = [];
    const queue = this.#queue;
    this.#queue = [];
    let bytes = 0;
    for (const log of queue) {
      if (bytes >= mostBytes) {
        this.#queue.push(log);
        continue;
      }
      log.queued = false;
      const entry = log.take();
      if (entry === undefined) continue;
      bytes += log.pendingBytes;
      logs.push(log);
      entries.push(entry);
    }
    return { logs, entries };
  }

  #settle(logs: readonly LiveLog[], results: readonly CommitResult[]): void {
    logs.forEach((log, index) => {
      const result = results[index];
      if (result?.ok === true) {
        log.commit(result.position);
        this.#listener.committed(log);
      } else if (result?.conflict === 'invocation') {
        this.#listener.refused(log, { ownerId: result.executionId });
      } else if (result?.conflict === 'dependency') {
        this.#listener.refused(log, { lacking: result.executionId });
      } else if (result?.conflict === 'space') {
        log.fail(noSpace());
        this.#listener.refused(log, undefined);
      } else {
        // Another writer of this log would break I1; the log is not ours any more.
        log.fail(
          new RequestError('internal', 'the log of this execution has another writer', {
            reason: 'INTERNAL',
          }),
        );
        this.#listener.refused(log, undefined);
      }
    });
  }

  #failed({ logs, entries }: Batch, error: Error): void {
    if (error instanceof Fenced) {
      this.#isFenced = true;
      this.#listener.fenced(error);
      return;
    }
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs === 0 ? firstRetryMs : this.#retryMs * 2);
    if (error instanceof InDoubtError) {
      this.#inDoubt = { logs, entries };
      this.#listener.health(error);
      return;
    }
    this.#inDoubt = undefined;
    for (const log of logs) {
      log.rollback();
      if (log.committed === undefined) {
        log.fail(storeUnavailable(error));
        this.#listener.refused(log, undefined);
      } else if (!log.queued) {
        log.queued = true;
        // Else it would count as one that is waited for already, when it has more.
        log.lazySince = undefined;
        this.#queue.push(log);
      }
    }
    this.#listener.health(error);
  }

  #recovered(): void {
    if (this.#retryMs === 0) return;
    this.#retryMs = 0;
    this.#listener.health(undefined);
  }
}

export function storeUnavailable(cause?: unknown): RequestError {
  return new RequestError('unavailable', 'the store cannot be written; nothing was accepted', {
    reason: 'STORE_UNAVAILABLE',
    retryAfterMs: longestRetryMs,
    cause,
  });
}

export function noSpace(): RequestError {
  return new RequestError(
    'unavailable',
    'the disk is full: what was accepted may end, and nothing new is accepted before there is space',
    { reason: 'STORE_UNAVAILABLE', retryAfterMs: longestRetryMs },
  );
}
