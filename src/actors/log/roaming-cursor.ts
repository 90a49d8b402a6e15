/**
 * A reader of the log of an execution in a cluster, wherever that is now: live here, on another node, or nobody's until
 * an heir takes it up. Every event is in the store before anyone hears of it, so that a way that breaks costs a reader
 * time and no event: it reads on from the store, looks who has the execution, and follows that one from where it was.
 *
 *   beyond() ─► who has it? ─► here: its live log ── let go of ──┐
 *                  ▲            a peer: its link  ── broken ─────┤
 *                  │            nobody: nothing   ───────────────┤
 *                  └──────────── the store, each 250 ms ◄────────┘
 */
import type { Clock } from '../../domain/clock.ts';
import type { LogEvent } from '../../domain/event.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { FollowedPart, Links } from '../../domain/links.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Store } from '../../stores/store.ts';

export interface RoamingHost {
  readonly store: Pick<Store, 'execution' | 'events'>;
  readonly links: Pick<Links, 'whereabouts' | 'follow'>;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** A cursor on its live log here. Rejects where there is none. */
  here(executionId: string): Promise<LogCursor>;
  /** The node goes away, and its readers with it. */
  readonly leaving: boolean;
}

export interface RoamingOptions {
  /** False for a reader that does not count as an observer. */
  readonly observes?: boolean;
  /** Hears once how the reader left. */
  readonly closed?: (how: 'done' | 'gone') => void;
}

/** How often the store is read while nobody tells, in milliseconds. */
const pollMs = 250;
/** Output that is kept for a reader before its node is told to wait, in bytes. */
const mostKept = 512 * 1024;
/** About what an event takes beside its bytes. */
const eventBytes = 256;

export class RoamingCursor implements LogCursor {
  readonly executionId: string;
  readonly #host: RoamingHost;
  readonly #options: RoamingOptions;
  /** As it was heard of last; undefined while its admission is under way here. */
  #record: ExecutionRecord | undefined;
  /** On its live log, while it is live here. */
  #local: LogCursor | undefined;
  #waiter: { readonly sequence: number; wake(): void } | undefined;
  /** Ends what is under way; undefined while nobody waits for more than is known. */
  #roaming: AbortController | undefined;
  /** The last event that has been heard, or was read before that; undefined while nobody has asked for any. */
  #heard: number | undefined;
  /** Heard, and not read yet: in order, without a gap. */
  #kept: LogEvent[] = [];
  #keptBytes = 0;
  #room: PromiseWithResolvers<void> | undefined;
  closed = false;

  /** @param start a cursor on its live log here, or its record as the store has it */
  constructor(host: RoamingHost, start: LogCursor | ExecutionRecord, options: RoamingOptions = {}) {
    this.#host = host;
    this.#options = options;
    this.executionId = start.executionId;
    if ('beyond' in start) this.#local = start;
    else this.#record = start;
  }

  get record(): ExecutionRecord {
    const local = this.#local;
    // What it is here says nothing any more where it is another node's, and has been read from the store.
    const isHere = local !== undefined && !(local.left && this.#isNewer(local.record));
    const record = isHere ? local.record : this.#record;
    if (record === undefined) throw new Error('the admission is not durable yet');
    return record;
  }

  get left(): boolean {
    return this.#host.leaving && !this.#hasEnded;
  }

  /** As it is now: nobody tells of what no event is asked for. */
  async admitted(): Promise<ExecutionRecord> {
    if (this.#local !== undefined) return this.#local.admitted();
    if (!this.#hasEnded) await this.#refresh();
    return this.record;
  }

  async read(from: number, maxBytes: number): Promise<readonly LogEvent[]> {
    if (this.#local !== undefined && !this.#local.left) return this.#local.read(from, maxBytes);
    const events =
      this.#take(from, maxBytes) ?? (await this.#host.store.events(this.executionId, { from, maxBytes }));
    const last = events.at(-1);
    // What is in the store may not have been heard of yet, and its record goes with it, an end above all.
    const isBehind = last !== undefined && last.sequence > this.record.lastSequence;
    if (isBehind || (last?.kind === 'result' && !isTerminal(this.record.status))) await this.#refresh();
    return events;
  }

  beyond(sequence: number): Promise<void> {
    if (this.closed || this.#isBeyond(sequence)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiter = { sequence, wake: resolve };
      if (Number.isFinite(sequence)) this.#expectFrom(sequence + 1);
      if (this.#roaming === undefined) void this.#roam();
    });
  }

  wake(): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#local?.wake();
    waiter?.wake();
  }

  close(how: 'done' | 'gone'): void {
    if (this.closed) return;
    this.closed = true;
    this.wake();
    this.#roaming?.abort();
    this.#room?.resolve();
    this.#kept = [];
    this.#local?.close(how);
    this.#options.closed?.(how);
  }

  /** What is known of it; undefined before its admission is durable. */
  get #known(): ExecutionRecord | undefined {
    try {
      return this.record;
    } catch {
      return undefined;
    }
  }

  #isNewer({ lastSequence }: ExecutionRecord): boolean {
    return this.#record !== undefined && this.#record.lastSequence > lastSequence;
  }

  get #hasEnded(): boolean {
    const known = this.#known;
    return known !== undefined && isTerminal(known.status);
  }

  #isBeyond(sequence: number): boolean {
    const known = this.#known;
    return (known !== undefined && known.lastSequence > sequence) || this.#hasEnded || this.left;
  }

  /** Tells the one that waits, where there is something to tell. */
  #tell(): void {
    const waiter = this.#waiter;
    if (waiter === undefined || !(this.closed || this.#isBeyond(waiter.sequence))) return;
    this.#waiter = undefined;
    waiter.wake();
  }

  /** Follows it from one node to another until its end, or until nobody asks. */
  async #roam(): Promise<void> {
    const roaming = new AbortController();
    this.#roaming = roaming;
    const { signal } = roaming;
    while (!signal.aborted && !this.#hasEnded && !this.left) {
      const isOver = (await this.#followHere(signal)) || (await this.#followThere(signal));
      if (isOver || signal.aborted) break;
      await this.#refresh().catch(() => {});
      this.#tell();
      if (this.#hasEnded || signal.aborted) break;
      await this.#pause(signal);
    }
    if (this.#roaming !== roaming) return;
    this.#roaming = undefined;
    this.#tell();
    // Somebody has begun to wait again meanwhile.
    if (this.#waiter !== undefined) void this.#roam();
  }

  /** Follows its live log here. True where nobody waits any more. */
  async #followHere(signal: AbortSignal): Promise<boolean> {
    while (this.#local !== undefined) {
      const local = this.#local;
      const waiter = this.#waiter;
      if (waiter === undefined) return true;
      await local.beyond(waiter.sequence);
      if (signal.aborted) return true;
      this.#tell();
      if (this.#waiter !== waiter) continue;
      const known = this.#known;
      // It could not be admitted, which whoever waits is told when they ask.
      if (known === undefined) this.wake();
      else {
        // It is let go of here, and goes on elsewhere.
        this.#record = known;
        this.#local = undefined;
        local.close('done');
      }
    }
    return false;
  }

  /** Follows it on another node, or here where it has come here. True where its end has been heard. */
  async #followThere(signal: AbortSignal): Promise<boolean> {
    const { links, here } = this.#host;
    try {
      const found = await links.whereabouts(this.executionId);
      if (signal.aborted) return true;
      if (found.at === 'here') return await this.#comeHere(await here(this.executionId), signal);
      if (found.at === 'nobody' || found.peer.address === '') return false;
      const wish = {
        executionId: this.executionId,
        from: this.#heard === undefined ? 0 : this.#heard + 1,
        observes: this.#options.observes !== false,
      };
      for await (const part of links.follow(found.peer, wish, signal)) {
        if (signal.aborted) return true;
        this.#hear(part);
        if (this.#keptBytes <= mostKept) continue;
        this.#room = Promise.withResolvers();
        await this.#room.promise;
      }
    } catch {
      // Whatever it is, the store has what is true, and is asked next.
    }
    return this.#hasEnded;
  }

  #comeHere(local: LogCursor, signal: AbortSignal): Promise<boolean> | boolean {
    if (signal.aborted) {
      local.close('done');
      return true;
    }
    this.#local = local;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#tell();
    return this.#followHere(signal);
  }

  #hear({ record, events }: FollowedPart): void {
    for (const event of events) {
      if (event.sequence <= (this.#heard ?? 0)) continue;
      this.#kept.push(event);
      this.#keptBytes += weight(event);
      this.#heard = event.sequence;
    }
    const last = events.at(-1)?.sequence ?? 0;
    const known = this.record;
    if (record !== undefined && record.lastSequence >= known.lastSequence) this.#record = record;
    else if (last > known.lastSequence) this.#record = { ...known, lastSequence: last };
    this.#tell();
  }

  /** Whoever reads has all events before this one. */
  #expectFrom(sequence: number): void {
    if (this.#heard === undefined) {
      this.#heard = sequence - 1;
      if (this.#local !== undefined) return;
      // Until now the end alone was waited for.
      this.#roaming?.abort();
      this.#roaming = undefined;
      return;
    }
    const first = this.#kept.findIndex((event) => event.sequence >= sequence);
    const passed = this.#kept.splice(0, first < 0 ? this.#kept.length : first);
    for (const event of passed) this.#keptBytes -= weight(event);
    if (this.#kept.length === 0) this.#heard = Math.max(this.#heard, sequence - 1);
    if (this.#keptBytes <= mostKept) this.#room?.resolve();
  }

  /** Events that have been heard; undefined where the store has to be asked. */
  #take(from: number, maxBytes: number): readonly LogEvent[] | undefined {
    const first = this.#kept[0]?.sequence ?? Number.POSITIVE_INFINITY;
    if (from < first || from > (this.#heard ?? 0)) return undefined;
    const start = from - first;
    let end = start;
    for (let bytes = 0; end < this.#kept.length && (end === start || bytes < maxBytes); end += 1) {
      bytes += weight(this.#kept[end] as LogEvent);
    }
    const taken = this.#kept.slice(start, end);
    this.#expectFrom(from + taken.length);
    return taken;
  }

  async #refresh(): Promise<void> {
    const record = await this.#host.store.execution(this.executionId);
    // A deleted one has been read to where it was.
    if (record !== undefined && record.lastSequence >= (this.#record?.lastSequence ?? 0))
      this.#record = record;
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#host.clock.setTimer(pollMs, done);
      function done(): void {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      }
      signal.addEventListener('abort', done, { once: true });
      if (signal.aborted) done();
    });
  }
}

function weight(event: LogEvent): number {
  return event.kind === 'chunk' ? event.data.byteLength + eventBytes : eventBytes;
}
