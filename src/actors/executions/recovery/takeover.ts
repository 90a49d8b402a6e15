/**
 * Takes up what other nodes left that may not write any more: their unfinished executions, what waits in their lines, and
 * their batches. Each page is claimed first, so that several nodes share what there is and none has an execution twice.
 * An attempt that was under way is lost: it stayed on its node.
 */
import type { Clock, Timer } from '../../../domain/clock.ts';
import { SnapshotIncompatible } from '../../../machines/migrations.ts';
import type { Claimed, Membership, Orphan } from '../../../stores/membership.ts';
import type { Store, WaitingLineCount } from '../../../stores/store.ts';
import type { NodeTime } from '../../time/node-time.ts';
import { mayFollowAgain } from './execution-recovery.ts';
import { endIncompatible, readStored, type StoredExecution, TaskRevisions } from './stored-execution.ts';

export interface TakeoverHost {
  readonly membership: Membership;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly time: NodeTime;
  readonly store: Store;
  /** For how long an attempt that its own node could follow again is left to that, in milliseconds. */
  readonly reattachWithinMs: number;
  /** Of a node that is gone; `planned` says that it was told to stop. */
  takeUp(stored: StoredExecution, planned: boolean): void;
  /** So many rows wait in a line now; the first of their alarms rings at `wakesAt`. */
  adopt(line: WaitingLineCount, since: number, wakesAt: number): void;
  /** Batches are this node's that were not, or nodes are gone that may have had members of its batches. */
  batches(): Promise<void>;
  /** Other nodes may have ended what executions and callers of this one wait for. */
  lookAtOthers(): Promise<void>;
  taken(count: number): void;
  failed(error: unknown): void;
}

const lookMs = 250;
const pageSize = 100;
/** Logs that are read at once. */
const atOnce = 8;

export class Takeover {
  readonly #host: TakeoverHost;
  /** Claims whose answer was lost: they may have been made. */
  #claiming: readonly Orphan[] = [];
  #peers: ReadonlySet<number> = new Set();
  #looking: Promise<void> | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(host: TakeoverHost) {
    this.#host = host;
  }

  /** Takes up all that there is. Rejects with what the store rejects with. */
  async open(): Promise<void> {
    await this.#takeAll();
    await this.#host.membership.claimBatches();
  }

  /** Goes on looking. */
  watch(): void {
    // Nobody else uses the store.
    if (this.#host.membership.incarnation === 0) return;
    this.#later();
  }

  /** Nothing is taken up any more. What was being taken up is live when what is returned has resolved. */
  close(): Promise<void> | undefined {
    this.#closed = true;
    this.#timer?.cancel();
    return this.#looking;
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#host.clock.setTimer(lookMs, () => {
      this.#looking = this.#look()
        .catch((error: unknown) => this.#host.failed(error))
        .finally(() => {
          this.#looking = undefined;
          this.#later();
        });
    });
  }

  async #look(): Promise<void> {
    const { membership, lookAtOthers, batches } = this.#host;
    await this.#takeAll();
    const isWithout = this.#isWithoutSome();
    if ((await membership.claimBatches()) || isWithout) await batches();
    await lookAtOthers();
  }

  /** Whether nodes are gone since it was asked last. What they had begun to do about a batch of this node is left to it. */
  #isWithoutSome(): boolean {
    const before = this.#peers;
    this.#peers = new Set(this.#host.membership.peers().map(({ incarnation }) => incarnation));
    return [...before].some((incarnation) => !this.#peers.has(incarnation));
  }

  async #takeAll(): Promise<void> {
    const { membership, taken } = this.#host;
    let count = 0;
    try {
      for (let after = ''; !this.#closed; ) {
        const page = this.#claiming.length > 0 ? this.#claiming : await membership.orphans(after, pageSize);
        const last = page.at(-1);
        if (last === undefined || !membership.mayAct()) break;
        after = last.record.executionId;
        const wanted = [];
        for (const orphan of page) if (await this.#isWanted(orphan)) wanted.push(orphan);
        count += await this.#take(wanted);
      }
    } finally {
      if (count > 0) taken(count);
    }
  }

  /** Not one whose own node may still follow its attempt. */
  async #isWanted({ record, planned, since }: Orphan): Promise<boolean> {
    const { store, reattachWithinMs } = this.#host;
    if (record.instanceId === '' || since >= reattachWithinMs * (planned ? plannedFactor : 1)) return true;
    const task = await store.taskRevision(record.taskId, record.taskRevision);
    return task === undefined || !mayFollowAgain(record, task);
  }

  async #take(orphans: readonly Orphan[]): Promise<number> {
    if (orphans.length === 0) return 0;
    this.#claiming = orphans;
    const claimed = await this.#host.membership.claim(orphans.map(({ record }) => record.executionId));
    this.#claiming = [];
    const planned = new Map(orphans.map((orphan) => [orphan.record.executionId, orphan.planned]));
    this.#adopt(claimed);
    const tasks = new TaskRevisions(this.#host.store);
    const unplaced = claimed.filter(({ place }) => place === undefined);
    const next = unplaced.values();
    const work = async (): Promise<void> => {
      for (const each of next) await this.#takeUp(each, tasks, planned.get(each.record.executionId) === true);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return claimed.length;
  }

  async #takeUp({ record, outline }: Claimed, tasks: TaskRevisions, planned: boolean): Promise<void> {
    const { store, time, takeUp, clock, failed } = this.#host;
    for (;;) {
      try {
        takeUp(await readStored(store, tasks, record, outline), planned);
        return;
      } catch (error) {
        if (error instanceof SnapshotIncompatible) {
          await endIncompatible(store, time, record, error.message);
          return;
        }
        // It is this node's: nobody else will take it up.
        if (this.#closed) return;
        failed(error);
        await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      }
    }
  }

  /** What waits in lines goes on doing so, in this node's. */
  #adopt(claimed: readonly Claimed[]): void {
    const lines = new Map<string, { count: number; since: number; wakesAt: number }>();
    for (const { place } of claimed) {
      if (place === undefined) continue;
      const line = lines.get(place.line) ?? {
        count: 0,
        since: Number.POSITIVE_INFINITY,
        wakesAt: Number.POSITIVE_INFINITY,
      };
      line.count += 1;
      line.since = Math.min(line.since, place.since);
      line.wakesAt = Math.min(line.wakesAt, place.wakesAt);
      lines.set(place.line, line);
    }
    for (const [line, { count, since, wakesAt }] of lines) this.#host.adopt({ line, count }, since, wakesAt);
  }
}

/** A node that is told to stop is likely to come back. */
const plannedFactor = 2;
