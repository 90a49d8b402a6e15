/**
 * Runs the supervisors of batches by the rules of `domain/batch/supervision.ts`. What a supervisor knows is in the row
 * of its batch, and changes in the transaction that makes the executions which follow from it: a restart that was
 * decided before a crash happens once.
 *
 * - What happens to a batch is looked at one by one, and the store is asked anew each time: nothing is in memory.
 * - What is stopped is asked to once that is durable, and again after a start.
 */
import { type Batch, type BatchState, seesBatch } from '../../domain/batch/batch.ts';
import {
  type Supervision,
  type SupervisionEvent,
  type SupervisionStep,
  stoppingMember,
  supervise,
  withExecutions,
} from '../../domain/batch/supervision.ts';
import type { Clock } from '../../domain/clock.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { AdmissionRequest } from '../../domain/executions.ts';
import { type Scope, tenantOf } from '../../domain/scope.ts';
import type { CommitEntry, MemberEnding, Store } from '../../stores/store.ts';
import { createdEntry, type MembersHost } from './batch-members.ts';

export interface BatchSupervisorsHost extends MembersHost {
  readonly clock: Clock;
  readonly store: Store;
  /** Milliseconds since the epoch, as deadlines count. */
  now(): number;
  /** Resolves when that is durable; rejects with not_found. */
  cancel(executionId: string, reason: string, by?: string): Promise<unknown>;
  /** These wait as rows now. */
  adopt(entries: readonly CommitEntry[], since: number): void;
  /** Something of the batch is durable. */
  changed(batchId: string): void;
  failed(error: unknown): void;
}

const tryAgainMs = 1000;
const changedMeanwhile = Symbol('changed meanwhile');

export class BatchSupervisors {
  readonly #host: BatchSupervisorsHost;
  /** By batch, what is under way. */
  readonly #turns = new Map<string, Promise<void>>();
  /** Batches whose supervisors have not ended, as they came, and whose they are. */
  readonly #alive = new Map<string, string>();
  #isOpen = false;
  #closed = false;

  constructor(host: BatchSupervisorsHost) {
    this.#host = host;
  }

  /** Goes on with those of an earlier run of the node; members that ended unheard have their turn, in their order. */
  open(batches: readonly BatchState[]): void {
    this.#isOpen = true;
    for (const { batch } of batches) {
      if (batch.supervision === undefined) continue;
      this.began(batch);
      void this.#inTurn(batch.batchId, () => this.#look(batch.batchId));
    }
  }

  /** A new one has a supervisor. */
  began(batch: Batch): void {
    this.#alive.set(batch.batchId, tenantOf(batch));
  }

  /** Those that have not ended, the newest first. */
  async list(scope: Scope, limit: number): Promise<BatchState[]> {
    const found: BatchState[] = [];
    for (const [batchId, tenant] of [...this.#alive].reverse()) {
      // Those of others are not even read.
      if (scope.tenant !== undefined && scope.tenant !== tenant) continue;
      const state = await this.#host.store.batch(batchId);
      if (state !== undefined && seesBatch(scope, state.batch)) found.push(state);
      if (found.length === limit) break;
    }
    return found;
  }

  async #look(batchId: string): Promise<void> {
    const { store } = this.#host;
    const state = await store.batch(batchId);
    for (const [member, { state: now, executionId }] of (state?.batch.supervision?.members ?? []).entries()) {
      if (now !== 'up' && now !== 'stopping') continue;
      const record = await store.execution(executionId);
      if (record === undefined) await this.#step(batchId, deletedEvent(member, executionId, this.#host));
      else if (isTerminal(record.status)) await this.#step(batchId, endedEvent(record, member, this.#host));
    }
    const after = await store.batch(batchId);
    if (after !== undefined) this.#stop(after.batch);
  }

  /** The end of an execution of a member is durable. Before the start is over `open` hears of it. */
  ended(record: ExecutionRecord): void {
    const { batch } = record;
    if (batch === undefined || !this.#isOpen) return;
    void this.#inTurn(batch.batchId, () =>
      this.#step(batch.batchId, endedEvent(record, batch.member, this.#host)),
    );
  }

  /** Resolves when it is durable that the batch ends; false where it did, or does, already. */
  async cancel(batchId: string, reason: string, by?: string): Promise<boolean> {
    let isChanged = false;
    await this.#once(batchId, async () => {
      const message = reason === '' ? 'the batch was cancelled' : reason;
      const cancelling = { reason, ...(by !== undefined && { by }) };
      isChanged = await this.#step(
        batchId,
        { type: 'end', end: { reason: 'cancelled', message } },
        { cancelling },
      );
    });
    return isChanged;
  }

  close(): void {
    this.#closed = true;
  }

  /** Again until it is done: the store may fail for a while. */
  #inTurn(batchId: string, work: () => Promise<unknown>): Promise<void> {
    return this.#once(batchId, async () => {
      while (!this.#closed) {
        try {
          await work();
          return;
        } catch (error) {
          this.#host.failed(error);
          await new Promise<void>((resolve) => void this.#host.clock.setTimer(tryAgainMs, resolve));
        }
      }
    });
  }

  #once(batchId: string, work: () => Promise<void>): Promise<void> {
    const before = this.#turns.get(batchId) ?? Promise.resolve();
    const turn = before.then(work);
    const settled = turn.catch(() => undefined);
    this.#turns.set(batchId, settled);
    void settled.then(() => {
      if (this.#turns.get(batchId) === settled) this.#turns.delete(batchId);
    });
    return turn;
  }

  /** False where nothing came of the event. */
  async #step(batchId: string, event: SupervisionEvent, changes: Partial<Batch> = {}): Promise<boolean> {
    const { store, changed } = this.#host;
    const state = await store.batch(batchId);
    const before = state?.batch.supervision;
    if (state === undefined || before === undefined || this.#closed) return false;
    const step = supervise(before, event);
    if (step.supervision === before) return false;
    const lost = await this.#commit(state.batch, { ...state.batch, ...changes }, step);
    if (lost === undefined) {
      changed(batchId);
      return true;
    }
    // Another node of the cluster was first.
    if (lost === changedMeanwhile) return this.#step(batchId, event, changes);
    const message = `a member cannot begin again: ${lost} was deleted`;
    return this.#step(batchId, { type: 'end', end: { reason: 'lost', message } });
  }

  /** The execution that is gone, which a member was to begin again for, or that it was changed; nothing is done then. */
  async #commit(
    read: Batch,
    batch: Batch,
    step: SupervisionStep,
  ): Promise<string | typeof changedMeanwhile | undefined> {
    const before = read.supervision as Supervision;
    const { store, clock, now, ids, adopt } = this.#host;
    const at = { wall: Math.round(clock.now()), steady: now() };
    const entries: CommitEntry[] = [];
    const executionIds = new Map<number, string>();
    for (const member of step.start) {
      const request = await this.#request(before, member, step.delayMs);
      const known = before.members[member];
      if (known === undefined || request === undefined) return known?.executionId ?? '';
      const executionId = ids('exec_');
      executionIds.set(member, executionId);
      const { batchId, by } = batch;
      const name = known.name;
      const place = {
        ...{ executionId, layer: 0, follows: [], originId: known.executionId },
        batch: { batchId, member, ...(name !== '' && { name }), supervised: true },
      };
      entries.push(createdEntry(this.#host, request, place, by, false, at));
    }
    const supervision = withExecutions(step.supervision, executionIds);
    const saved = { ...batch, supervision };
    const result = await store.superviseBatch(read, saved, entries, endingsOf(before, supervision));
    if (!result.ok && result.conflict === 'changed') return changedMeanwhile;
    if (!result.ok) throw new Error(`a batch cannot be written: ${result.conflict}`);
    if (supervision.phase.kind === 'ended') this.#alive.delete(batch.batchId);
    if (entries.length > 0) adopt(entries, at.steady);
    this.#stop(saved);
    return undefined;
  }

  /** What a member's last execution asked for; undefined where that is gone. */
  async #request(
    { members }: Supervision,
    member: number,
    startAfterMs: number,
  ): Promise<AdmissionRequest | undefined> {
    const { store } = this.#host;
    const known = members[member];
    const record = known && (await store.execution(known.executionId));
    if (known === undefined || record === undefined) return undefined;
    const input = await store.input(known.executionId);
    const task = await store.taskRevision(record.taskId, record.taskRevision);
    if (input === undefined || task === undefined) return undefined;
    const { functionName, contentType, mode, metadata, labels, priority, fairnessKey, trace, alias } = record;
    return {
      ...{ task, mode, metadata, startAfterMs, timeouts: known.timeouts },
      invocation: { ...input, functionName, contentType },
      ...{ invocationId: '', payloadDigest: '', cancelOnDisconnect: false },
      ...(labels !== undefined && { labels }),
      ...(priority !== undefined && { priority }),
      ...(fairnessKey !== undefined && { fairnessKey }),
      ...(trace !== undefined && { trace }),
      ...(alias !== undefined && { alias }),
    };
  }

  /** Asks the member that is to be stopped. Its end is heard of as any other. */
  #stop({ batchId, supervision, cancelling }: Batch): void {
    const { cancel, failed, clock } = this.#host;
    const member = supervision && stoppingMember(supervision);
    if (supervision === undefined || member === undefined) return;
    const { phase } = supervision;
    const reason =
      phase.kind === 'ending' ? phase.end.message : 'it begins again with another member of its batch';
    cancel(member.executionId, reason, cancelling?.by).catch((error: unknown) => {
      if (this.#closed) return;
      failed(error);
      clock.setTimer(tryAgainMs, () => void this.#inTurn(batchId, () => this.#look(batchId)));
    });
  }
}

function endedEvent(record: ExecutionRecord, member: number, host: { now(): number }): SupervisionEvent {
  const { executionId, status, outcome, completedAt = record.createdAt } = record;
  const errorCode = outcome !== undefined && outcome.status !== 'completed' ? outcome.code : undefined;
  const end = { status, endedAt: completedAt, ...(errorCode !== undefined && { errorCode }) };
  return { type: 'ended', member, executionId, end, at: host.now() };
}

/** Its record is gone, and with it how it ended. */
function deletedEvent(
  member: number,
  executionId: string,
  { clock, now }: Pick<BatchSupervisorsHost, 'clock' | 'now'>,
): SupervisionEvent {
  const end = {
    status: 'cancelled' as const,
    errorCode: 'CANCELLED' as const,
    endedAt: Math.round(clock.now()),
  };
  return { type: 'ended', member, executionId, end, at: now() };
}

/** Members that do not begin again any more. */
function endingsOf(before: Supervision, after: Supervision): MemberEnding[] {
  return after.members.flatMap(({ state, end }, member) =>
    state === 'over' && end !== undefined && before.members[member]?.state !== 'over'
      ? [{ member, end }]
      : [],
  );
}
