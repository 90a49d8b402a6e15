import type { Clock } from '../../domain/clock.ts';
import type { Durations } from '../../domain/durations.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { TenantLoad } from '../../domain/quota.ts';
import type { QuarantineUse } from '../../domain/scheduling/gate.ts';
import { leafOf } from '../../domain/scheduling/line.ts';
import type { PriorityWeights } from '../../domain/scheduling/priority.ts';
import type { SnapshotIncompatible } from '../../machines/migrations.ts';
import type { Store, WaitingExecution, WaitingLineCount } from '../../stores/store.ts';
import { Estimates } from '../queue/estimates.ts';
import { OpeningTimer } from '../queue/opening-timer.ts';
import { type QueuePlace, Slots } from '../queue/slots.ts';
import { Backlog, type WaitingBounds, waitingBounds } from './backlog.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';
import { OrderKeeper } from './order-keeper.ts';
import { Passivation } from './passivation.ts';

export interface ExecutionQueueHost {
  /** Its time is one that nobody sets. */
  readonly time: Clock;
  readonly store: Store;
  readonly executions: LiveExecutions;
  readonly slots: number;
  /** Of priorities, where they are not as usual. */
  readonly weights?: PriorityWeights | undefined;
  readonly durations: Durations;
  readonly bounds: Partial<WaitingBounds> | undefined;
  /** Makes one live again that waits. Rejects with SnapshotIncompatible where it cannot. */
  revive(waiting: WaitingExecution): Promise<LiveExecution>;
  /** Ends one that cannot go on. */
  giveUp(record: ExecutionRecord, why: SnapshotIncompatible): Promise<unknown>;
  /** It holds no slot any more, or does not wait for one. */
  left?(executionId: string): void;
  /** A quarantine is another, as attempts ended. */
  quarantined?(use: QuarantineUse): void;
  /** What the order remembers is another node's to keep. */
  isMuted?(): boolean;
  /** Somebody may have a slot. */
  pump(): void;
  /** One that has its slot is live now, or never will be. */
  awake(executionId: string): void;
  /** One waits, and need not be live for that. */
  letGo(execution: LiveExecution): void;
  /** The store could not be read. */
  failed(error: unknown): void;
}

/** A store that could not be read is asked again after so many milliseconds. */
const readAgainMs = 1000;

/** All that wait for a slot: the order of the slots, what is behind it in the store, and which of them are live. */
export class ExecutionQueue {
  readonly slots: Slots;
  readonly estimates: Estimates;
  readonly backlog: Backlog;
  readonly passivation: Passivation;
  readonly keeper: OrderKeeper;
  readonly #host: ExecutionQueueHost;
  /** By tenant, executions that are being accepted together. */
  readonly #coming = new Map<string, number>();
  #closed = false;
  readonly #opening: OpeningTimer;

  constructor(host: ExecutionQueueHost) {
    this.#host = host;
    const { time, store, executions } = host;
    const bounds = { ...waitingBounds, ...host.bounds };
    const recordOf = (executionId: string) => this.recordOf(executionId);
    this.#opening = new OpeningTimer(time, () => host.pump());
    this.slots = new Slots(host.slots, {
      weights: host.weights,
      leafOf: (executionId) => leafOf(recordOf(executionId)),
      expectedMs: (executionId) => this.estimates.expected(recordOf(executionId)),
      now: () => time.monotonic(),
      opensIn: (ms) => this.#opening.set(ms),
      changed: () => this.keeper.changed(),
      quarantined: (use) => host.quarantined?.(use),
      left: (executionId) => {
        host.left?.(executionId);
        // Who was cancelled or held has made its line shorter as well as who got a slot.
        if (this.backlog.goesOn) this.backlog.taken(leafOf(recordOf(executionId)));
      },
    });
    this.keeper = new OrderKeeper({
      ...{ time, store, slots: this.slots },
      isMuted: () => host.isMuted?.() ?? false,
    });
    this.passivation = new Passivation({
      clock: time,
      store,
      executions,
      bounds,
      behind: () => this.backlog.size,
      running: () => this.slots.running,
      wake: host.revive,
      giveUp: host.giveUp,
      failed: host.failed,
    });
    this.backlog = new Backlog({
      store,
      slots: this.slots,
      bounds,
      live: (executionId) => executions.get(executionId),
      readAhead: (waiting) => this.passivation.readAhead(waiting),
      pump: host.pump,
      failed: (error) => {
        host.failed(error);
        this.#later(() => this.backlog.retry());
      },
    });
    this.estimates = new Estimates(this.slots, host.durations, recordOf, (record) =>
      this.backlog.behind(leafOf(record)),
    );
  }

  /** Nothing is made live any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Of one that is live or stands in the order of the slots. */
  recordOf(executionId: string): ExecutionRecord | undefined {
    return this.#host.executions.get(executionId)?.log.record ?? this.passivation.recordOf(executionId);
  }

  /** Accepted, and not begun. */
  get pending(): number {
    let pending = this.#host.executions.pending + this.passivation.pending;
    for (const count of this.#coming.values()) pending += count;
    return pending;
  }

  /** Those that wait for a slot. */
  get length(): number {
    return this.slots.queued + this.backlog.size;
  }

  loadOf(tenant: string): Omit<TenantLoad, 'storedBytes'> {
    const coming = this.#coming.get(tenant) ?? 0;
    const pending = this.#host.executions.pendingOf(tenant) + this.passivation.pendingOf(tenant) + coming;
    return { running: this.slots.runningOf(tenant), pending, memoryBytes: this.slots.memoryOf(tenant) };
  }

  /** So many of a tenant count as accepted until the answer is called: they are being written. */
  reserve(tenant: string, count: number): () => void {
    this.#coming.set(tenant, (this.#coming.get(tenant) ?? 0) + count);
    return () => {
      const left = (this.#coming.get(tenant) ?? 0) - count;
      if (left === 0) this.#coming.delete(tenant);
      else this.#coming.set(tenant, left);
    };
  }

  /** Takes up what waits in the store. Resolves with how many those are. */
  async open(): Promise<number> {
    for (const each of await this.backlog.open()) this.passivation.found(each);
    const waiting = this.passivation.size;
    await this.passivation.open();
    return waiting;
  }

  /** So many more wait in a line of the store since then. */
  adopt(waiting: WaitingLineCount, since: number, wakesAt: number): void {
    this.passivation.adopt(waiting, wakesAt);
    this.backlog.adopt(waiting, since);
  }

  /** One that another node has given to this one waits for a slot. */
  takes(waiting: WaitingExecution): void {
    this.passivation.found({ line: waiting.place.line, count: 1 });
    this.passivation.readAhead(waiting);
    this.slots.request(waiting.record.executionId, true);
    this.#host.pump();
  }

  /** Live again; it was nobody's, unless it waits here already. */
  reviveClaimed(executionId: string): Promise<LiveExecution | undefined> {
    const isCounted = this.passivation.isAhead(executionId) || this.backlog.size > 0;
    return this.passivation.revive(executionId, isCounted);
  }

  /** Undefined for one that does not wait for a slot, or is not live. */
  async placeOf(executionId: string): Promise<QueuePlace | undefined> {
    const execution = this.#host.executions.get(executionId);
    return execution === undefined ? undefined : this.backlog.placeOf(execution);
  }

  /** Lets go of one that waits and need not be live. */
  consider(execution: LiveExecution | undefined): void {
    if (execution !== undefined && this.passivation.mayLetGo(execution)) this.#host.letGo(execution);
  }

  /** Makes one live whose slot has come. */
  async wake(executionId: string): Promise<void> {
    const { pump, awake, failed } = this.#host;
    try {
      await this.passivation.revive(executionId);
      awake(executionId);
    } catch (error) {
      failed(error);
      this.slots.release(executionId);
      this.#later(() => {
        if (this.passivation.isAhead(executionId)) this.slots.request(executionId, false);
        pump();
      });
    }
  }

  #later(work: () => void): void {
    this.#host.time.setTimer(readAgainMs, () => {
      if (!this.#closed) work();
    });
  }

  /** Nothing is made live any more: others may have it. */
  stopReviving(): void {
    this.#closed = true;
    this.passivation.close();
    this.backlog.close();
  }

  close(): void {
    this.stopReviving();
    this.#opening.close();
    this.keeper.close();
  }
}
