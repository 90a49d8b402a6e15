/**
 * Which of those that wait are live: for a slot, for their start time, for their next attempt, or for somebody who lets
 * them go on. Beyond the first of them, one that the store has with its place in line, and that nobody looks at, is let
 * go of: its log is its state. It is live again when somebody asks for it, when its slot comes, or when its alarm rings.
 *
 * At most one live actor per execution id (I1): whoever needs one that is not live waits for the same revival.
 */
import type { Clock, Timer } from '../../domain/clock.ts';
import { Counts } from '../../domain/counts.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import { leafOfLine, restingOfLine } from '../../domain/scheduling/line.ts';
import { hasToBeKnown } from '../../domain/scheduling/task-gates.ts';
import { tenantOf } from '../../domain/scope.ts';
import { SnapshotIncompatible } from '../../machines/migrations.ts';
import type { Store, WaitingAlarm, WaitingExecution, WaitingLineCount } from '../../stores/store.ts';
import type { WaitingBounds } from './backlog.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';

/** Alarms that are rung in one turn. */
const alarmsAtOnce = 500;
/** Node fires a timer above this at once. */
const longestTimerMs = 2 ** 31 - 1;

export interface PassivationHost {
  /** Its time is one that nobody sets. */
  readonly clock: Clock;
  readonly store: Pick<Store, 'waitingExecution' | 'waking'>;
  readonly executions: LiveExecutions;
  readonly bounds: WaitingBounds;
  /** Of what waits for a slot here, so many are only in the store. */
  behind(): number;
  /** Attempts that run. */
  running(): number;
  /** Makes one live again, and leaves it to the supervisor. Rejects with SnapshotIncompatible where it cannot. */
  wake(waiting: WaitingExecution): Promise<LiveExecution>;
  /** Ends one that cannot go on. */
  giveUp(record: ExecutionRecord, why: SnapshotIncompatible): Promise<unknown>;
  failed(error: unknown): void;
}

/** One in the order of the slots. */
interface Ahead {
  readonly record: ExecutionRecord;
  /** All of it; undefined where they are many, and it is read when its slot comes. */
  readonly waiting?: WaitingExecution;
}

/** What the order and estimates ask of a record, without what callers have written of any length. */
function essence(record: ExecutionRecord): ExecutionRecord {
  // Keys of gates may be metadata.
  if (record.gates !== undefined) return record;
  const { metadata: _metadata, labels: _labels, ...rest } = record;
  return { ...rest, metadata: noMetadata };
}

const noMetadata = {};

export class Passivation {
  readonly #host: PassivationHost;
  /** Those in the order of the slots. Of the others that are not live, the store alone knows. */
  readonly #ahead = new Map<string, Ahead>();
  readonly #reviving = new Map<string, Promise<LiveExecution | undefined>>();
  #passive = 0;
  /** Those of them that wait for a slot. */
  #queued = 0;
  /** Those of them that have not begun, by tenant. */
  #pending = 0;
  readonly #pendingOf = new Counts();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(host: PassivationHost) {
    this.#host = host;
  }

  /** How many wait and are not live. */
  get size(): number {
    return this.#passive;
  }

  /** Those of them that wait for a slot. */
  get queued(): number {
    return this.#queued;
  }

  /** Those of them that have not begun. */
  get pending(): number {
    return this.#pending;
  }

  pendingOf(tenant: string): number {
    return this.#pendingOf.of(tenant);
  }

  /** Of each tenant that has any: those that wait, have not begun, and are not live. */
  *pendingByTenant(): Iterable<{ readonly tenant: string; readonly waiting: number }> {
    for (const tenant of this.#pendingOf.names()) yield { tenant, waiting: this.#pendingOf.of(tenant) };
  }

  /** As `isNear`, of one that waits for something else than a slot. */
  get isNearResting(): boolean {
    return this.#resting >= this.#host.bounds.live || this.#passive > 0;
  }

  /** Those that live and do not run. */
  get #resting(): number {
    return this.#host.executions.size - this.#host.running();
  }

  /** Whether one that begins to wait for a slot needs a place in line, because it may not stay live. */
  get isNear(): boolean {
    return this.#host.executions.pending >= this.#host.bounds.live || this.#passive > 0;
  }

  /** As it was when it was let go of, of those in the order of the slots. */
  recordOf(executionId: string): ExecutionRecord | undefined {
    return this.#ahead.get(executionId)?.record;
  }

  isAhead(executionId: string): boolean {
    return this.#ahead.has(executionId);
  }

  /** Those in the order of the slots that are not live. */
  get ahead(): readonly string[] {
    return [...this.#ahead.keys()];
  }

  isReviving(executionId: string): boolean {
    return this.#reviving.has(executionId);
  }

  mayLetGo({ log, state, rests }: LiveExecution): boolean {
    const { executions, bounds } = this.#host;
    const many = rests ? this.#resting : state === 'pending.queued' ? executions.pending : 0;
    return many > bounds.live && log.restsInStore && !hasToBeKnown(log.record);
  }

  /** It is not live any more; `isAhead` says that it stands in the order of the slots. */
  letGo({ log }: LiveExecution, isAhead: boolean): void {
    const { committed, place } = log;
    if (committed === undefined || place === undefined) return;
    this.#add(place.line, tenantOf(committed), 1);
    if (isAhead) this.readAhead({ record: committed, place });
    this.#arm(place.wakesAt);
  }

  /** One that was read from the store stands in the order of the slots. */
  readAhead(waiting: WaitingExecution): void {
    const { record } = waiting;
    const isWhole = this.#ahead.size < this.#host.bounds.ahead;
    this.#ahead.set(record.executionId, isWhole ? { record, waiting } : { record: essence(record) });
  }

  /** So many wait in a line of the store since before this run of the node. */
  found({ line, count }: WaitingLineCount): void {
    this.#add(line, leafOfLine(line)?.tenant ?? restingOfLine(line)?.tenant ?? '', count);
  }

  /** So many more wait in a line of the store, the first of whose alarms rings then. */
  adopt(waiting: WaitingLineCount, wakesAt: number): void {
    this.found(waiting);
    this.#arm(wakesAt);
  }

  /** Alarms ring from now on. */
  async open(): Promise<void> {
    if (this.#passive > 0) await this.#ring();
  }

  /**
   * Live, or live again. Undefined where there is none that waits in a line; rejects where the store cannot be read.
   *
   * @param isCounted false for one that has just come to this node
   */
  revive(executionId: string, isCounted = true): Promise<LiveExecution | undefined> {
    const live = this.#host.executions.get(executionId);
    if (live !== undefined) return Promise.resolve(live);
    let reviving = this.#reviving.get(executionId);
    if (reviving === undefined) {
      reviving = this.#revive(executionId, isCounted).finally(() => this.#reviving.delete(executionId));
      this.#reviving.set(executionId, reviving);
    }
    return reviving;
  }

  /** The clock has moved, and timers have not. */
  moved(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    void this.#ring();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #revive(executionId: string, isCounted: boolean): Promise<LiveExecution | undefined> {
    const { store, wake, giveUp, behind } = this.#host;
    const waiting = this.#ahead.get(executionId)?.waiting ?? (await store.waitingExecution(executionId));
    if (waiting === undefined || this.#closed) return undefined;
    // What another node has just given to this one waits for a slot, and has not been counted.
    const isKnown = restingOfLine(waiting.place.line) !== undefined || behind() > 0;
    try {
      const execution = await wake(waiting);
      this.#forget(waiting, isCounted && isKnown);
      return execution;
    } catch (error) {
      if (!(error instanceof SnapshotIncompatible)) throw error;
      // What was read earlier may have gone on elsewhere.
      const now = await store.waitingExecution(executionId);
      if (now?.record.lastSequence === waiting.record.lastSequence) await giveUp(waiting.record, error);
      this.#forget(waiting, isCounted && isKnown);
      return undefined;
    }
  }

  #forget({ record, place }: WaitingExecution, isCounted: boolean): void {
    const isAhead = this.#ahead.delete(record.executionId);
    if (isAhead || isCounted) this.#add(place.line, tenantOf(record), -1);
  }

  #add(line: string, tenant: string, count: number): void {
    const resting = restingOfLine(line);
    this.#passive += count;
    if (resting === undefined) this.#queued += count;
    if (resting?.isPending === false) return;
    this.#pending += count;
    this.#pendingOf.add(tenant, count);
  }

  #arm(at: number): void {
    if (this.#closed || at >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    const delay = Math.min(Math.max(0, at - this.#host.clock.now()), longestTimerMs);
    this.#timer = this.#host.clock.setTimer(Math.ceil(delay), () => void this.#ring());
  }

  /** Makes those live whose alarm is due: it rings when they are. */
  async #ring(): Promise<void> {
    const { clock, store, failed } = this.#host;
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = clock.now();
    let after: WaitingAlarm | undefined;
    try {
      for (;;) {
        const alarms = await store.waking(after, alarmsAtOnce);
        for (const alarm of alarms) {
          // Of one that is live the alarm rings by itself.
          if (alarm.wakesAt > now && !this.#host.executions.has(alarm.executionId)) {
            this.#arm(alarm.wakesAt);
            return;
          }
          if (alarm.wakesAt <= now) await this.revive(alarm.executionId);
          if (this.#closed) return;
        }
        after = alarms.at(-1);
        if (after === undefined) return;
        await new Promise((resolve) => void setImmediate(resolve));
      }
    } catch (error) {
      failed(error);
      this.#arm(now + retryMs);
    }
  }
}

/** A store that could not be read is asked again after so many milliseconds. */
const retryMs = 1000;
