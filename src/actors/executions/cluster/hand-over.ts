/**
 * What a node of a cluster leaves to the dispatcher, and what it takes from it.
 *
 * live, with a place in line ─► committed ─► released ─► nobody's, in the store
 * granted ─► in the order of this node's slots ─► live ─► its slot is free ─► told
 *
 * 1. A node that is alone runs all by itself.
 * 2. Of several, a node runs at once what no gate counts, as long as it has a slot and nothing waits anywhere that it
 *    would pass. Everything else is nobody's until the dispatcher gives it to a node.
 */
import type { Clock, Timer } from '../../../domain/clock.ts';
import type { ExecutionRecord } from '../../../domain/execution.ts';
import { leafOf } from '../../../domain/scheduling/line.ts';
import type { OwnUse } from '../../../domain/scheduling/places.ts';
import type { ExecutionEvent } from '../../../machines/execution-context.ts';
import type { ClusterQueue, ClusterSaying } from '../../../stores/cluster-queue.ts';
import type { WaitingExecution } from '../../../stores/store.ts';
import type { Slots } from '../../queue/slots.ts';
import type { LiveExecution } from '../live-execution.ts';
import type { LiveExecutions } from '../live-executions.ts';
import { isCounted } from './dispatcher.ts';

export interface HandOverHost {
  /** Its time is one that nobody sets. */
  readonly time: Clock;
  readonly queue: ClusterQueue;
  readonly executions: LiveExecutions;
  readonly slots: Slots;
  /** No other node lives. */
  isAlone(): boolean;
  /** It takes executions. */
  mayRun(): boolean;
  /** Whether this node has what it wants. */
  fits(placement: string | undefined): boolean;
  /** Whether what it is to run is here; looks where that is not known. Rejects with StoreError. */
  canRun(placement: string | undefined): Promise<boolean>;
  /** It reserves more than this node has in all, and another one has more. */
  exceeds(record: ExecutionRecord): boolean;
  /** Its tenant may have so much running and no more. */
  boundsRunning(record: ExecutionRecord): boolean;
  /** It waits in the order of the slots. */
  takes(waiting: WaitingExecution): void;
  /** Whether it stands in the order of the slots without being live. */
  isAhead(executionId: string): boolean;
  /** Whether it is being made live. */
  isReviving(executionId: string): boolean;
  /** So many of what waits here are only in the store. */
  behind(): number;
  /** It is not this node's any more. */
  released(execution: LiveExecution): void;
  /** Live again; undefined where it does not wait any more. */
  revive(executionId: string): Promise<LiveExecution | undefined>;
  /** It waits here for a slot, and is to be nobody's. */
  handOver(executionId: string): void;
  /** Resolves when the dispatcher has heard how attempts ended. */
  judged(): Promise<void>;
  /** Makes it live again, where nobody else has it, and delivers. */
  redeliver(executionId: string, events: readonly ExecutionEvent[]): Promise<void>;
  failed(error: unknown): void;
}

/** A look at what waits elsewhere counts for so long. */
const seenForMs = 1000;
/** What was missed is looked for so often. */
const lookMs = 1000;
/** Strays that go back together. */
const straysAtOnce = 100;
/** What failed is tried again after so many milliseconds. */
const againMs = 250;

export class HandOver {
  readonly #host: HandOverHost;
  /** Executions that the dispatcher counts as held by this node. */
  readonly #counted = new Set<string>();
  /** Those that waited for a slot at the last look, when all were taken. */
  #waited: ReadonlySet<string> = new Set();
  /** Those that the last look found here without anybody who knew of them. */
  #strays: ReadonlySet<string> = new Set();
  #waitsUntil = Number.NEGATIVE_INFINITY;
  #toRelease: LiveExecution[] = [];
  #releasing = false;
  #freed: string[] = [];
  #told = '';
  #telling: Promise<void> | undefined;
  #taking = false;
  #takeAgain = false;
  #timer: Timer | undefined;
  #open = false;
  #closed = false;

  constructor(host: HandOverHost) {
    this.#host = host;
  }

  /**
   * What an earlier run has left is taken up: until then this node says nothing of its slots, and so is given nothing.
   * What it was given would look as if it had been left as well.
   */
  open(): void {
    this.#open = true;
    this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  /** Somebody waits that a call would pass. */
  get isBehind(): boolean {
    return this.#host.time.monotonic() < this.#waitsUntil;
  }

  /** What the dispatcher does not count. */
  get #own(): OwnUse {
    const { slots } = this.#host;
    const counted = [...this.#counted].filter((id) => slots.holds(id));
    return { slots: slots.running - counted.length, ...slots.reservedBut(counted) };
  }

  /** Whether one that wants a slot is to be nobody's, for the dispatcher to give away. */
  leaves({ log }: LiveExecution): boolean {
    const { slots, isAlone, fits, mayRun, boundsRunning } = this.#host;
    const { record } = log;
    if (this.#closed || this.#counted.has(record.executionId)) return false;
    if (isAlone()) return this.isBehind || !fits(record.placement);
    return (
      isCounted(record) ||
      this.isBehind ||
      slots.running + slots.queued >= slots.total ||
      this.#lacksResources(record) ||
      !mayRun() ||
      boundsRunning(record)
    );
  }

  /** It would wait here for memory or processors, of which another node may have more. */
  #lacksResources(record: ExecutionRecord): boolean {
    if (record.reserves === undefined) return false;
    return this.#host.exceeds(record) || this.#host.slots.holdFor(leafOf(record)) !== undefined;
  }

  /** Its place in line is durable. */
  placed(execution: LiveExecution): void {
    execution.handOver = 'releasing';
    this.#toRelease.push(execution);
    if (!this.#releasing) {
      this.#releasing = true;
      setImmediate(() => void this.#release());
    }
  }

  /** It holds no slot any more, or does not wait for one. */
  left(executionId: string): void {
    if (this.#counted.delete(executionId)) this.#freed.push(executionId);
    else if (!this.isBehind) return;
    void this.#tell();
  }

  /** Resolves when what was left has been told. */
  async told(): Promise<void> {
    await this.#telling;
  }

  heard(saying: ClusterSaying | undefined): void {
    if (!this.#open || this.#closed) return;
    const { me } = this.#host.queue;
    if (saying === undefined || (saying.kind === 'granted' && saying.nodes.includes(me))) void this.#take();
    // The dispatcher has to know what is free here. That something waits for a slot it says itself: were this node to
    // take it from here, all of its calls would wait, and be the next to tell others so.
    else if (saying.kind === 'queued') void this.#tell(true);
    else if (saying.kind === 'waiting') {
      if (saying.count === 0) this.#waitsUntil = Number.NEGATIVE_INFINITY;
      else this.#behind();
    }
  }

  #behind(): void {
    this.#waitsUntil = this.#host.time.monotonic() + seenForMs;
    // The dispatcher has to know what is free here, and may be another one than was told last.
    this.#told = '';
    void this.#tell();
  }

  #look(): void {
    this.#timer = this.#host.time.setTimer(lookMs, () => {
      if (this.#closed) return;
      void this.#take();
      this.#giveBack();
      this.#releaseStrays().catch(this.#host.failed);
      this.#look();
    });
  }

  /** What was given to this node and finds no slot here may find one elsewhere. */
  #giveBack(): void {
    const { slots, isAlone, failed } = this.#host;
    const isFull = slots.running >= slots.total;
    const isStuck = (id: string) => slots.waits(id) && (isFull || slots.heldBy(id)?.use.kind === 'resources');
    const waiting = isAlone() ? [] : [...this.#counted].filter(isStuck);
    const before = this.#waited;
    this.#waited = new Set(waiting);
    for (const id of waiting) if (before.has(id)) this.#handBack(id).catch(failed);
  }

  /**
   * What this node took up, and of which it lost the answer or could not read the log, waits here for nobody; or it is
   * live for somebody who looks at it, and waits for a slot that others may have. What a node that was alone has in the
   * store it goes on with itself.
   */
  async #releaseStrays(): Promise<void> {
    const { queue, slots, isAlone, behind, handOver } = this.#host;
    const before = this.#strays;
    this.#strays = new Set();
    if (isAlone() || behind() > 0) return;
    const found = await queue.strays(straysAtOnce);
    this.#strays = new Set(found.filter((id) => slots.waits(id) || !this.#isHere(id)));
    const gone = [...this.#strays].filter((id) => before.has(id) && !this.#closed);
    for (const id of gone) if (slots.waits(id)) handOver(id);
    const unknown = gone.filter((id) => !this.#isHere(id));
    if (unknown.length > 0) await queue.release(unknown);
  }

  #isHere(executionId: string): boolean {
    const { executions, isAhead, isReviving } = this.#host;
    return executions.has(executionId) || isAhead(executionId) || isReviving(executionId);
  }

  async #handBack(executionId: string): Promise<void> {
    const { executions, revive, handOver } = this.#host;
    if (!executions.has(executionId)) await revive(executionId);
    this.left(executionId);
    handOver(executionId);
  }

  async #release(): Promise<void> {
    const { queue, released, redeliver, failed } = this.#host;
    while (this.#toRelease.length > 0) {
      const executions = this.#toRelease;
      this.#toRelease = [];
      try {
        // Whoever counts them knows first that they hold no slot.
        await this.#telling;
        await queue.release(executions.map(({ executionId }) => executionId));
      } catch (error) {
        failed(error);
        this.#toRelease = [...executions, ...this.#toRelease];
        if (this.#closed) break;
        await new Promise<void>((resolve) => void this.#host.time.setTimer(againMs, resolve));
        continue;
      }
      for (const execution of executions) {
        const { executionId, deferred } = execution;
        execution.handOver = 'no';
        execution.deferred = [];
        released(execution);
        if (deferred.length > 0) void redeliver(executionId, deferred).catch(failed);
      }
    }
    this.#releasing = false;
  }

  #tell(own = this.isBehind): Promise<void> {
    this.#telling ??= (async () => {
      // All of one turn together.
      await new Promise<void>((resolve) => void setImmediate(resolve));
      while (!this.#closed && (this.#freed.length > 0 || (own && this.#told !== JSON.stringify(this.#own)))) {
        const freed = this.#freed;
        this.#freed = [];
        await this.#host.judged();
        const now = this.#own;
        this.#told = JSON.stringify(now);
        try {
          await this.#host.queue.leave(freed, now);
        } catch (error) {
          this.#host.failed(error);
          this.#freed = [...freed, ...this.#freed];
          this.#told = '';
          await new Promise<void>((resolve) => void this.#host.time.setTimer(againMs, resolve));
        }
      }
    })().finally(() => {
      this.#telling = undefined;
    });
    return this.#telling;
  }

  /** Takes what was given to this node. */
  async #take(): Promise<void> {
    if (this.#taking) {
      this.#takeAgain = true;
      return;
    }
    this.#taking = true;
    const { queue, executions, slots, isAhead, takes, failed } = this.#host;
    try {
      do {
        this.#takeAgain = false;
        const before = new Set(this.#counted);
        const unable: string[] = [];
        for (const waiting of await queue.granted()) {
          const { executionId } = waiting.record;
          if (this.#closed) return;
          if (before.has(executionId)) continue;
          // Somebody who asked for it has made it live before it was taken.
          if (slots.waits(executionId)) this.#counted.add(executionId);
          if (slots.waits(executionId) || slots.holds(executionId)) continue;
          if (executions.has(executionId) || isAhead(executionId)) continue;
          if (!(await this.#host.canRun(waiting.record.placement))) {
            unable.push(executionId);
            continue;
          }
          if (executions.has(executionId) || isAhead(executionId)) continue;
          this.#counted.add(executionId);
          takes(waiting);
        }
        // Whoever gives it away has heard before why not.
        if (unable.length > 0) await queue.release(unable);
      } while (this.#takeAgain);
    } catch (error) {
      failed(error);
    } finally {
      this.#taking = false;
    }
  }
}
