/**
 * The event log of one live execution: events are numbered here, committed by the committer, and heard by
 * readers only then (I2).
 *
 * write() ─► chunks ─► pending ─► in flight ─► tail (the last committed events, bounded) ─► readers
 *
 * - Sequence numbers have no gap and no repeat (I3): one counter, and a failed commit is taken up again as it was.
 * - Memory is bounded (I5): `uncommittedHighWater` of output that is not durable yet stops the producer, and the
 *   tail is cut; a reader further behind reads the store.
 * - After `end` nothing is appended (I4).
 * - While the disk is full, output that finds no room in `OutputRoom` is left out of the commit, and of the log.
 */
import type { CacheUse } from '../../domain/cache.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventBody, LogEvent, NewEvent, OutputStream } from '../../domain/event.ts';
import {
  type ExecutionRecord,
  type Invocation,
  isTerminal,
  type Outcome,
  type ResourceUse,
} from '../../domain/execution.ts';
import { mostRefusals, type NetworkRefusal } from '../../domain/network/refusal.ts';
import type { MeterUse } from '../../domain/scheduling/order-use.ts';
import type { SideRowChange } from '../../domain/side-row.ts';
import { storableUse } from '../../domain/storable.ts';
import type { Limits } from '../../domain/task.ts';
import type { CommitEntry, Store, WaitingPlace } from '../../stores/store.ts';
import { LogTail } from './log-tail.ts';
import { type LogWaiter, LogWaiters } from './log-waiters.ts';
import { cutOutcome, cutOutput } from './output-cut.ts';
import { noRoomMessage, type OutputRoom } from './output-room.ts';
import { OutputWriter } from './output-writer.ts';

type Working = { -readonly [Key in keyof ExecutionRecord]: ExecutionRecord[Key] };

/** What the log asks of its surroundings. */
export interface LogSurroundings {
  readonly clock: Clock;
  readonly store: Store;
  readonly room: OutputRoom;
  /** There is something to commit; `urgent` says that somebody waits for it. */
  touched(log: LiveLog, urgent: boolean): void;
  /** Nobody reads any more a log that has a place in line. */
  unread?(log: LiveLog): void;
  /** The output has reached a limit, or the disk is full. Called once, from within `write` or `take`. */
  limitReached(log: LiveLog, message: string): void;
}

/** What the first commit of a new log brings with it, or when the last event of one that the store has was. */
export type LogStart =
  | {
      readonly input: Invocation;
      readonly claimInvocationId: string | undefined;
      readonly rows?: readonly SideRowChange[] | undefined;
    }
  | { readonly lastTime: number; readonly place?: WaitingPlace | undefined };

const uncommittedHighWater = 1024 * 1024;
const none: readonly MeterUse[] = [];

export class LiveLog {
  readonly executionId: string;
  /** Readers now attached that count as observers. */
  observers = 0;
  /** Where it waits, so that it can do so without being live; undefined where it has to be. */
  place: WaitingPlace | undefined;
  /** Waiting in the committer's queue; the committer's own mark. */
  queued = false;
  /** When it was first touched without urgency; the committer's own mark. */
  lazySince: number | undefined;
  /** When its admission was touched without urgency, until it has ended; the committer's own mark. */
  begunAt: number | undefined;

  readonly #surroundings: LogSurroundings;
  readonly #working: Working;
  readonly #output: OutputWriter;
  readonly #claim: string | undefined;
  readonly #rows: readonly SideRowChange[] | undefined;
  #left = false;
  #input: Invocation | undefined;
  #committed: ExecutionRecord | undefined;
  #pending: NewEvent[] = [];
  /** Up to here, output has its room on a full disk. */
  #roomyTo = 0;
  /** Who waits for an event that is in no commit yet. */
  readonly #expecting = new Set<{ sequence: number }>();
  #inFlight: { entry: CommitEntry; record: ExecutionRecord; bytes: number } | undefined;
  /** Bytes of output that are not durable yet, those in a commit that is under way included. */
  #pendingBytes = 0;
  #committedSequence = 0;
  readonly #tail = new LogTail();
  #lastTime = 0;
  /** How many network refusals of the running attempt are in the log. */
  #refusals = { attempt: 0, told: 0 };
  #sealed = false;
  #resultHasRoom = false;
  #failure: Error | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  #admitted: PromiseWithResolvers<ExecutionRecord> | undefined;
  /** The record has a change that no event tells and that somebody waits for. */
  #recordChanged = false;
  /** Buckets that its dispatches have taken from, for the next commit. */
  #meters: readonly MeterUse[] = none;
  /** Where the store has the execution in a waiting line. */
  #placed: WaitingPlace | undefined;
  #readers = 0;
  #bound: PromiseWithResolvers<void> | undefined;
  readonly #waiters = new LogWaiters((sequence) => this.#isBeyond(sequence));

  constructor(surroundings: LogSurroundings, record: ExecutionRecord, limits: Limits, start: LogStart) {
    this.executionId = record.executionId;
    this.#surroundings = surroundings;
    this.#working = { ...record };
    this.#output = new OutputWriter({
      clock: surroundings.clock,
      limits,
      counts: this.#working,
      chunk: (stream, data) => this.#appendChunk(stream, data),
      limitReached: (message) => surroundings.limitReached(this, message),
    });
    if ('lastTime' in start) {
      this.#committed = record;
      this.#committedSequence = record.lastSequence;
      this.#lastTime = start.lastTime;
      this.place = start.place;
      this.#placed = start.place;
    } else {
      this.#input = start.input;
      this.#claim = start.claimInvocationId;
      this.#rows = start.rows;
    }
  }

  /** The record as it will be once everything is committed. For the supervisor; readers have `committed`. */
  get record(): ExecutionRecord {
    return this.#working;
  }

  get committed(): ExecutionRecord | undefined {
    return this.#committed;
  }

  get committedSequence(): number {
    return this.#committedSequence;
  }

  /** A reader opened the log. */
  opened(): void {
    this.#readers += 1;
  }

  /** A reader closed the log. */
  closed(): void {
    this.#readers -= 1;
    if (this.#readers === 0 && this.isPlaced) this.#surroundings.unread?.(this);
  }

  /** The store has the execution in its place. */
  get isPlaced(): boolean {
    return this.place !== undefined && this.#placed === this.place;
  }

  /** No reader is open, and the store has the whole log, and the execution's place in its waiting line. */
  get restsInStore(): boolean {
    return this.isPlaced && this.#readers === 0 && this.isWritten && this.#waiters.size === 0;
  }

  /** The store has it in its place, and nothing of it is on its way there. */
  get isSettled(): boolean {
    return this.isPlaced && this.isWritten;
  }

  /** Nothing of it is on its way to the store, or is to be. */
  get isWritten(): boolean {
    return this.#pending.length === 0 && !this.#recordChanged && this.#inFlight === undefined;
  }

  get sealed(): boolean {
    return this.#sealed;
  }

  /** Sealed, and all of it durable. */
  get complete(): boolean {
    return this.#sealed && this.#committedSequence === this.#working.lastSequence;
  }

  /** Changes the record and appends a transition; `by` is the principal that asked for it. */
  transition(changes: Partial<ExecutionRecord>, body: EventBody, urgent: boolean, by?: string): void {
    this.#output.flush();
    const working = Object.assign(this.#working, changes);
    this.#append(body, by);
    if (changes.attempt !== undefined) working.attemptSequence = working.lastSequence;
    this.#surroundings.touched(this, urgent);
  }

  /** It ends with the result of another: whose, and its output. */
  takeResult(cache: CacheUse, chunks: readonly { stream: OutputStream; data: Uint8Array }[]): void {
    this.#working.cache = cache;
    for (const { stream, data } of chunks) this.#output.write(stream, data);
  }

  /** Facts about the attempt that no event tells. They are committed with the next event. */
  note(instanceId: string, resourceUse: ResourceUse): void {
    this.#working.instanceId = instanceId;
    this.#working.resourceUse = storableUse(resourceUse);
  }

  /** Its dispatch, which comes now, takes from these buckets: they are kept with it. */
  takesFrom(meters: readonly MeterUse[]): void {
    this.#meters = [...this.#meters, ...meters];
  }

  /** See AttemptIo.bind. It shares the commit of the attempt's own transition where that is not on its way yet. */
  bind(instanceId: string): Promise<void> {
    if (this.#sealed || this.#working.instanceId === instanceId) return Promise.resolve();
    this.#working.instanceId = instanceId;
    this.#recordChanged = true;
    this.#bound ??= Promise.withResolvers();
    this.#surroundings.touched(this, true);
    return this.#bound.promise;
  }

  /** Its place has changed, which no event tells. */
  rewrite(): void {
    if (this.#pending.length === 0) this.#recordChanged = true;
    this.#surroundings.touched(this, true);
  }

  /** See AttemptIo. A crash before it is durable costs the attempt, no more. */
  inputDelivered(): void {
    if (this.#sealed) return;
    this.#working.inputDelivered = this.#working.attempt;
    this.#recordChanged = true;
    this.#surroundings.touched(this, true);
  }

  /** Resolves with true when everything so far is durable, and with false where nobody here will know that it is. */
  durable(): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = {
        sequence: this.#working.lastSequence - 1,
        wake: (): void => {
          this.#expecting.delete(waiter);
          resolve(this.#committedSequence > waiter.sequence);
        },
      };
      this.#expecting.add(waiter);
      if (!this.wait(waiter)) waiter.wake();
      else this.#surroundings.touched(this, true);
    });
  }

  /** See AttemptIo. */
  refused(refusal: NetworkRefusal): void {
    const working = this.#working;
    if (this.#refusals.attempt !== working.attempt) this.#refusals = { attempt: working.attempt, told: 0 };
    // One more than the refusals themselves, for the one that counts the rest.
    if (this.#sealed || this.#refusals.told > mostRefusals) return;
    this.#refusals.told += 1;
    this.#output.flush();
    this.#append({ kind: 'refusal', ...refusal });
    this.#surroundings.touched(this, true);
  }

  /** The node goes away before the log ends: readers hear no more of it here. */
  leave(): void {
    this.#left = true;
    this.#waiters.wake();
  }

  get left(): boolean {
    return this.#left;
  }

  /** Appends the result and seals the log. */
  end(changes: Partial<ExecutionRecord>, outcome: Outcome, by?: string): void {
    this.#output.flush();
    Object.assign(this.#working, changes);
    this.#working.outcome = outcome;
    this.#append({ kind: 'result' }, by);
    this.#sealed = true;
    this.#release();
    this.#surroundings.touched(this, true);
  }

  /** Bytes of output that are not durable yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** See AttemptIo.write: takes over `data`; a promise means wait. */
  write(stream: OutputStream, data: Uint8Array): Promise<void> | undefined {
    if (this.#sealed) {
      this.#working.droppedBytes += data.byteLength;
      return undefined;
    }
    this.#output.write(stream, data);
    if (this.#pendingBytes + this.#output.unfinished.bytes < uncommittedHighWater) return undefined;
    this.#drained ??= Promise.withResolvers();
    return this.#drained.promise;
  }

  /** Everything that is not committed yet, for one commit; undefined where there is nothing. */
  take(): CommitEntry | undefined {
    if (this.#inFlight !== undefined || this.#failure !== undefined) return undefined;
    if (this.#surroundings.room.scarce) this.#saveRoom();
    if (this.#pending.length === 0 && !this.#recordChanged) return undefined;
    const { bytes, events } = this.#output.unfinished;
    const record: ExecutionRecord = {
      ...this.#working,
      lastSequence: this.#pending.at(-1)?.sequence ?? this.#committedSequence,
      outputBytes: this.#working.outputBytes - bytes,
      outputEvents: this.#working.outputEvents - events,
    };
    const first = this.#committed === undefined;
    const entry: CommitEntry = {
      executionId: this.executionId,
      expectedLastSequence: this.#committedSequence,
      events: this.#pending,
      record,
      ...(this.place !== undefined && !isTerminal(record.status) && { waiting: this.place }),
      ...(first && this.#input !== undefined && { input: this.#input }),
      ...(first && this.#claim !== undefined && { claimInvocationId: this.#claim }),
      ...(first && this.#rows !== undefined && { rows: this.#rows }),
      ...(this.#meters.length > 0 && { meters: this.#meters }),
    };
    this.#meters = none;
    this.#inFlight = { entry, record, bytes: this.#pendingBytes };
    this.#pending = [];
    this.#recordChanged = false;
    return entry;
  }

  /** The disk is full: what is to be committed next loses the output that has no room, and ends with that. */
  #saveRoom(): void {
    const { room } = this.#surroundings;
    const cut = cutOutput(this.#pending, ({ sequence, data }) => {
      if (sequence <= this.#roomyTo) return true;
      if (!room.take(this.executionId, data.byteLength)) return false;
      this.#roomyTo = sequence;
      return true;
    });
    if (cut !== undefined) {
      const working = this.#working;
      this.#pending = [...cut.events];
      this.#pendingBytes -= cut.bytes;
      working.outputBytes -= cut.bytes;
      working.outputEvents -= cut.chunks;
      working.droppedBytes += cut.bytes;
      working.lastSequence = cut.moved(working.lastSequence);
      working.attemptSequence = cut.moved(working.attemptSequence);
      for (const waiter of this.#expecting) waiter.sequence = cut.moved(waiter.sequence + 1) - 1;
      // That it must end is the last that it is told: what it does to the log is a part of this commit.
      if (!this.#sealed) this.#output.end(noRoomMessage);
      this.#release();
    }
    if (this.#sealed) this.#saveResultRoom(cut !== undefined);
  }

  #saveResultRoom(outputCut: boolean): void {
    const working = this.#working;
    const { outcome } = working;
    if (outcome === undefined) return;
    const value = Buffer.byteLength(outcome.output ?? '');
    const fits = this.#resultHasRoom || this.#surroundings.room.take(this.executionId, value);
    this.#resultHasRoom = true;
    if (fits && !outputCut) return;
    const cut = cutOutcome(outcome, fits);
    const { status } = cut;
    Object.assign(working, { outcome: cut, status, ...(status !== outcome.status && { state: status }) });
    this.#pending = this.#pending.map((event) => (event.kind === 'result' ? { ...event, status } : event));
  }

  /** The commit of what `take` gave went through. */
  commit(position: number): void {
    const flight = this.#inFlight;
    if (flight === undefined) return;
    this.#inFlight = undefined;
    this.#input = undefined;
    this.#committed = flight.record;
    this.#committedSequence = flight.record.lastSequence;
    this.#placed = flight.entry.waiting;
    let at = position;
    for (const event of flight.entry.events) this.#tail.push(event, at++);
    this.#tail.trim(this.#waiters.size > 0);
    this.#pendingBytes -= flight.bytes;
    if (this.#pendingBytes < uncommittedHighWater / 2) this.#release();
    this.#admitted?.resolve(flight.record);
    if (!this.#recordChanged) this.#settleBinding();
    this.#waiters.wake();
  }

  /** The commit failed and wrote nothing: all of it is pending again. */
  rollback(): void {
    const flight = this.#inFlight;
    if (flight === undefined) return;
    this.#inFlight = undefined;
    this.#pending = [...flight.entry.events, ...this.#pending];
    this.#meters = [...(flight.entry.meters ?? none), ...this.#meters];
    this.#recordChanged = true;
  }

  /** The admission can never be durable: whoever waits hears why. */
  fail(error: Error): void {
    this.#failure = error;
    this.#sealed = true;
    this.#inFlight = undefined;
    this.#pending = [];
    this.#output.discard();
    this.#release();
    this.#admitted?.reject(error);
    this.#settleBinding();
    this.#waiters.wake();
  }

  admitted(): Promise<ExecutionRecord> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#committed !== undefined) return Promise.resolve(this.#committed);
    this.#admitted ??= Promise.withResolvers();
    // Somebody waits for it now.
    this.#surroundings.touched(this, true);
    return this.#admitted.promise;
  }

  /**
   * Wakes `waiter` once, when an event after its sequence is committed or there can be none.
   * Returns false where that is so already.
   */
  wait(waiter: LogWaiter): boolean {
    return this.#waiters.add(waiter);
  }

  forget(waiter: LogWaiter): void {
    this.#waiters.forget(waiter);
  }

  async read(from: number, maxBytes: number): Promise<readonly LogEvent[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (from > this.#committedSequence) return [];
    const near = this.#tail.read(from, maxBytes);
    if (near !== undefined) return near;
    const events = await this.#surroundings.store.events(this.executionId, { from, maxBytes });
    // The store may have a commit that this log has not heard of: its events are ahead of the record that goes with them.
    return events.filter(({ sequence }) => sequence <= this.#committedSequence);
  }

  #append(body: EventBody, by?: string): void {
    const working = this.#working;
    this.#lastTime = Math.max(this.#lastTime, Math.round(this.#surroundings.clock.now()));
    this.#pending.push({
      ...body,
      sequence: ++working.lastSequence,
      time: this.#lastTime,
      status: working.status,
      attempt: working.attempt,
      ...(by !== undefined && { by }),
    });
  }

  #appendChunk(stream: OutputStream, data: Uint8Array): void {
    this.#pendingBytes += data.byteLength;
    this.#append({ kind: 'chunk', stream, data });
    this.#surroundings.touched(this, true);
  }

  #isBeyond(sequence: number): boolean {
    return this.#committedSequence > sequence || this.complete || this.#left || this.#failure !== undefined;
  }

  #settleBinding(): void {
    this.#bound?.resolve();
    this.#bound = undefined;
  }

  #release(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}
