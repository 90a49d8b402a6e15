/**
 * What the node tells of itself: each execution that changed or was deleted, once a tick, and its own state about once
 * a second.
 *
 * committed() ─► changed (one entry for each execution) ─┐
 *   deleted() ─► deleted (never one that changed since) ─┴ tick ─► one piece of news for all watches
 *
 * - While nobody watches, a commit or a deletion costs a comparison, and nothing is counted.
 * - What is told in a tick is bounded; the rest waits for the next. Where too much waits all of it is dropped, and who
 *   keeps a list is told to read it anew, at most every two seconds: a flood costs the node no more than that.
 * - Nobody is told to have heard all up to a position behind which something is yet to be told: members of a batch that
 *   is being written, or what was dropped. Who comes back with that position would never hear of it.
 * - A watch that does not keep up gathers by itself, as boundedly (see `watch.ts`).
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type {
  DeletedExecution,
  NodeFeed,
  NodeNews,
  NodeStatus,
  NodeWatch,
  StoreObserver,
} from '../../domain/node-feed.ts';
import { type Scope, scopeKey, wholeNode } from '../../domain/scope.ts';
import { type FeedStore, newsFor, Watch } from './watch.ts';

export interface FeedOptions {
  readonly clock: Clock;
  readonly store: FeedStore;
  /** Must not reject where only the store does not work. */
  readonly status: (scope: Scope) => Promise<NodeStatus>;
  /** The last position that there was before the first commit that it hears of. */
  readonly position: number;
  /** Whether other nodes use the store; absent means no. */
  readonly isShared?: () => boolean;
}

const tickMs = 100;
/** Executions told in one tick, … */
const mostPerTick = 100;
/** … and those that may wait for one, with those that were deleted. */
const mostWaiting = 1000;
const resetPauseMs = 2000;
const statusPauseMs = 1000;
/** Counting takes longer where there is more; it takes this share of the time at most. */
const statusShare = 50;
const mostWatches = 500;
/** Of one principal, so that nobody keeps out all others. */
const mostPerPrincipal = mostWatches / 2;

interface Changed {
  readonly record: ExecutionRecord;
  /** Of its first event that was not told. */
  readonly first: number;
}

export class Feed implements NodeFeed, StoreObserver {
  readonly #options: FeedOptions;
  /** Each with the principal that follows. */
  readonly #watches = new Map<Watch, string>();
  readonly #changed = new Map<string, Changed>();
  readonly #deleted = new Map<string, DeletedExecution>();
  /** Batches that are being written, each with the last position before. */
  readonly #writing = new Map<string, number>();
  #position: number;
  #overflown = false;
  /** While it is overflown, the last position before what was dropped. */
  #kept = 0;
  #resetAt = Number.NEGATIVE_INFINITY;
  #tick: Timer | undefined;
  #statusTimer: Timer | undefined;
  /** By scope, as `#asked`. */
  readonly #status = new Map<string, NodeStatus>();
  readonly #asked = new Map<string, Promise<NodeStatus>>();
  #closed = false;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  /** Of the last event that it has heard of. */
  get position(): number {
    return this.#position;
  }

  committed(record: ExecutionRecord, events: readonly NewEvent[], position: number): void {
    const first = events.length > 0 ? position : this.#position + 1;
    this.#position = Math.max(this.#position, first + events.length - 1);
    if (this.#watches.size === 0 || this.#overflown) return;
    const { executionId } = record;
    // One that was restored under its id is there again.
    this.#deleted.delete(executionId);
    this.#changed.set(executionId, { record, first: this.#changed.get(executionId)?.first ?? first });
    this.#gathered();
  }

  deleted(executions: readonly DeletedExecution[]): void {
    if (this.#watches.size === 0 || this.#overflown) return;
    for (const execution of executions) {
      this.#changed.delete(execution.executionId);
      this.#deleted.set(execution.executionId, execution);
    }
    this.#gathered();
  }

  batchBegun(batchId: string): void {
    this.#writing.set(batchId, this.#position);
  }

  batchWritten(batchId: string): void {
    this.#writing.delete(batchId);
  }

  /** Somebody watches. */
  get isWatched(): boolean {
    return this.#watches.size > 0;
  }

  /** Another node has written of it. */
  changedElsewhere(record: ExecutionRecord): void {
    this.committed(record, [], 0);
  }

  /** Those who ask at once, and see the same, share an answer. */
  status(scope: Scope = wholeNode): Promise<NodeStatus> {
    const key = scopeKey(scope);
    let asked = this.#asked.get(key);
    if (asked === undefined) {
      asked = this.#options.status(scope).finally(() => this.#asked.delete(key));
      this.#asked.set(key, asked);
    }
    return asked;
  }

  /** Throws a RequestError where there are too many. */
  watch(position: number, principal: string, scope: Scope = wholeNode): NodeWatch {
    if (this.#closed) throw leaving();
    if (this.#watches.size >= mostWatches) {
      throw tooMany(`${mostWatches} others follow this node already`, 'watches');
    }
    if (this.#watchesOf(principal) >= mostPerPrincipal) {
      throw tooMany(
        `${mostPerPrincipal} watches of ${principal} follow this node already`,
        'watches-per-principal',
      );
    }
    const watch: Watch = new Watch({
      from: position,
      position: this.#position,
      told: this.#allUpTo(this.#position),
      scope,
      isShared: this.#options.isShared?.() === true,
      store: this.#options.store,
      status: () => this.status(scope),
      closed: () => this.#forget(watch),
    });
    this.#watches.set(watch, principal);
    if (this.#watches.size === 1) this.#scheduleStatus(statusPauseMs);
    return watch;
  }

  /** The node goes away: everyone who watches hears so. */
  close(): void {
    this.#closed = true;
    for (const watch of [...this.#watches.keys()]) watch.fail(leaving());
  }

  #watchesOf(principal: string): number {
    let count = 0;
    for (const each of this.#watches.values()) if (each === principal) count += 1;
    return count;
  }

  #forget(watch: Watch): void {
    if (!this.#watches.delete(watch) || this.#watches.size > 0) return;
    this.#tick?.cancel();
    this.#statusTimer?.cancel();
    this.#tick = undefined;
    this.#statusTimer = undefined;
    this.#status.clear();
    this.#overflown = false;
    this.#drop();
  }

  #gathered(): void {
    if (this.#changed.size + this.#deleted.size > mostWaiting) {
      this.#kept = this.#toldUpTo();
      this.#drop();
      this.#overflown = true;
    }
    this.#schedule(tickMs);
  }

  #drop(): void {
    this.#changed.clear();
    this.#deleted.clear();
  }

  #schedule(ms: number): void {
    this.#tick ??= this.#options.clock.setTimer(ms, () => {
      this.#tick = undefined;
      this.#tell();
    });
  }

  #tell(): void {
    const now = this.#options.clock.monotonic();
    const pause = this.#resetAt + resetPauseMs - now;
    const reset = this.#overflown && pause <= 0;
    if (reset) {
      this.#overflown = false;
      this.#resetAt = now;
    }
    const executions = this.#takeChanged();
    const deleted = [...this.#deleted.values()];
    this.#deleted.clear();
    this.#broadcast({ position: this.#toldUpTo(), executions, deleted, reset });
    this.#status.clear();
    if (this.#changed.size > 0) this.#schedule(tickMs);
    else if (this.#overflown) this.#schedule(Math.max(tickMs, pause));
  }

  #takeChanged(): ExecutionRecord[] {
    const records: ExecutionRecord[] = [];
    for (const [executionId, { record }] of this.#changed) {
      if (records.length >= mostPerTick) break;
      records.push(record);
      this.#changed.delete(executionId);
    }
    return records;
  }

  /** What waits longest comes first, so nothing before its first event is untold. */
  #toldUpTo(): number {
    for (const { first } of this.#changed.values()) return this.#allUpTo(Math.min(first - 1, this.#position));
    return this.#allUpTo(this.#overflown ? this.#kept : this.#position);
  }

  /** No further than to the members of a batch that are not there yet. */
  #allUpTo(position: number): number {
    return Math.min(position, ...this.#writing.values());
  }

  /** All that see the same are told the very same thing. */
  #broadcast(all: Parameters<typeof newsFor>[1]): void {
    const written = new Map<string, NodeNews | undefined>();
    for (const watch of this.#watches.keys()) {
      if (!written.has(watch.key))
        written.set(watch.key, newsFor(watch.scope, all, this.#status.get(watch.key)));
      const news = written.get(watch.key);
      if (news !== undefined) watch.take(news);
    }
  }

  #scheduleStatus(ms: number): void {
    const { clock } = this.#options;
    this.#statusTimer = clock.setTimer(ms, () => {
      const begun = clock.monotonic();
      const again = (): void => {
        if (this.#watches.size === 0) return;
        this.#scheduleStatus(Math.max(statusPauseMs, statusShare * (clock.monotonic() - begun)));
      };
      this.#askAll().then(again, again);
    });
  }

  /** Rejects with what one of them rejects with. */
  async #askAll(): Promise<void> {
    const scopes = new Map([...this.#watches.keys()].map(({ key, scope }) => [key, scope]));
    for (const [key, scope] of scopes) {
      const status = await this.status(scope);
      if (this.#watches.size === 0) return;
      this.#status.set(key, status);
      this.#schedule(tickMs);
    }
  }
}

function tooMany(message: string, quota: string): RequestError {
  return new RequestError('resource_exhausted', message, {
    reason: 'TOO_MANY_WATCHES',
    quota,
    retryAfterMs: 1000,
  });
}

function leaving(): RequestError {
  return new RequestError('unavailable', 'the node is stopping; what happens goes on when it is back', {
    reason: 'DRAINING',
    retryAfterMs: 1000,
  });
}
