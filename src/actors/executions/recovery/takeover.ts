/**
 * Takes up what other nodes left that may not write any more: their unfinished executions, what waits in their lines, and
 * their batches. Each page is claimed first, so that several nodes share what there is and none has an execution twice.
 * An attempt that was under way is lost: it stayed on its node.
 */
import type { Clock, Timer } from '../../../domain/clock.ts';
import { SnapshotIncompatible } from '../../../machines/migrations.ts';
import type { ClaimedExecution, Membership, Orphan } from '../../../stores/membership.ts';
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
/** Executions that are claimed together: how finely what there is is shared. */
const pageSize = 500;
/** Logs that are read at once. */
const atOnce = 8;

export class Takeover {
  readonly #host: TakeoverHost;
  /** Claims whose answer was lost: they may have been made. */
  #claiming: readonly Orphan[] = [];
  #peers: ReadonlySet<number> = new Set();
  #looking: Promise<void> | undefined;
  #lookAgain = false;
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
    const { membership } = this.#host;
    // Nobody else uses the store.
    if (membership.incarnation === 0) return;
    membership.onGone(() => {
      this.#lookAgain = true;
      if (this.#looking === undefined) this.#look();
    });
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
    this.#timer = this.#host.clock.setTimer(lookMs, () => this.#look());
  }

  #look(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    this.#lookAgain = false;
    this.#looking = this.#takeAndLook()
      .catch((error: unknown) => this.#host.failed(error))
      .finally(() => {
        this.#looking = undefined;
        if (this.#lookAgain) this.#look();
        else this.#later();
      });
  }

  async #takeAndLook(): Promise<void> {
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
    // What was claimed is taken up while the next is claimed.
    let takingUp = Promise.resolve();
    try {
      if (this.#claiming.length > 0) {
        const claimed = await this.#claim(this.#claiming);
        count += claimed.count;
        takingUp = claimed.takeUp();
      }
      for (let after = ''; !this.#closed; ) {
        const { pages, last } = await this.#wantedPages(after);
        if (last === undefined) break;
        after = last;
        for (const page of pages) {
          if (this.#closed || !membership.mayAct()) return;
          const claimed = await this.#claim(page);
          count += claimed.count;
          await takingUp;
          takingUp = claimed.takeUp();
        }
      }
    } finally {
      await takingUp;
      if (count > 0) taken(count);
    }
  }

  /** A page for each node that lives: each begins with another one, as all of them see the same. */
  async #wantedPages(
    after: string,
  ): Promise<{ readonly pages: readonly Orphan[][]; readonly last?: string }> {
    const { membership } = this.#host;
    const peers = membership.peers().map(({ incarnation }) => incarnation);
    const orphans = await membership.orphans(after, pageSize * Math.max(1, peers.length));
    const last = orphans.at(-1)?.executionId;
    const pages: Orphan[][] = [];
    for (let from = 0; from < orphans.length; from += pageSize) {
      const page: Orphan[] = [];
      for (const orphan of orphans.slice(from, from + pageSize)) {
        if (await this.#isWanted(orphan)) page.push(orphan);
      }
      if (page.length > 0) pages.push(page);
    }
    const first = Math.max(0, peers.indexOf(membership.incarnation)) % Math.max(1, pages.length);
    return { pages: [...pages.slice(first), ...pages.slice(0, first)], ...(last !== undefined && { last }) };
  }

  /** Not one whose own node may still follow its attempt. */
  async #isWanted({ record, planned, since }: Orphan): Promise<boolean> {
    const { store, reattachWithinMs } = this.#host;
    if (record === undefined || record.instanceId === '') return true;
    if (since >= reattachWithinMs * (planned ? plannedFactor : 1)) return true;
    const task = await store.taskRevision(record.taskId, record.taskRevision);
    return task === undefined || !mayFollowAgain(record, task);
  }

  async #claim(
    orphans: readonly Orphan[],
  ): Promise<{ readonly count: number; readonly takeUp: () => Promise<void> }> {
    this.#claiming = orphans;
    const { executions, lines, queued } = await this.#host.membership.claim(
      orphans.map(({ executionId }) => executionId),
    );
    this.#claiming = [];
    const count = lines.reduce((sum, line) => sum + line.count, executions.length + queued);
    // What waits in lines goes on doing so, in this node's.
    for (const { line, count, since, wakesAt } of lines) this.#host.adopt({ line, count }, since, wakesAt);
    return { count, takeUp: () => this.#takeUpAll(executions, orphans) };
  }

  async #takeUpAll(executions: readonly ClaimedExecution[], orphans: readonly Orphan[]): Promise<void> {
    const planned = new Set(orphans.filter((orphan) => orphan.planned).map(({ executionId }) => executionId));
    const tasks = new TaskRevisions(this.#host.store);
    const next = executions.values();
    const work = async (): Promise<void> => {
      for (const each of next) await this.#takeUp(each, tasks, planned.has(each.record.executionId));
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  /** It is this node's, and nobody else will take it up: what fails is tried again. */
  async #takeUp(claimed: ClaimedExecution, tasks: TaskRevisions, planned: boolean): Promise<void> {
    const { clock, failed } = this.#host;
    for (;;) {
      try {
        await this.#goesOn(claimed, tasks, planned);
        return;
      } catch (error) {
        if (this.#closed) return;
        failed(error);
        await new Promise<void>((resolve) => void clock.setTimer(lookMs, resolve));
      }
    }
  }

  async #goesOn(
    { record, outline }: ClaimedExecution,
    tasks: TaskRevisions,
    planned: boolean,
  ): Promise<void> {
    const { store, time, takeUp } = this.#host;
    try {
      takeUp(await readStored(store, tasks, record, outline), planned);
    } catch (error) {
      if (!(error instanceof SnapshotIncompatible)) throw error;
      await endIncompatible(store, time, record, error.message);
    }
  }
}

/** A node that is told to stop is likely to come back. */
const plannedFactor = 2;
