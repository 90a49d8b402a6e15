import {
  type Batch,
  type BatchCounts,
  type BatchEnding,
  type BatchMember,
  type BatchState,
  isWanted,
  type MemberQuery,
} from '../../../src/domain/batch/batch.ts';
import { type ExecutionRecord, isTerminal } from '../../../src/domain/execution.ts';
import { tenantOf } from '../../../src/domain/scope.ts';
import type { CommitEntry, MemberEnding } from '../../../src/stores/store.ts';

/** Batches of the memory store, and how their members ended. */
export class MemoryBatches {
  readonly #batches = new Map<string, Batch>();
  readonly #members = new Map<string, BatchMember[]>();
  readonly #record: (executionId: string) => ExecutionRecord | undefined;

  constructor(record: (executionId: string) => ExecutionRecord | undefined) {
    this.#record = record;
  }

  ownerOf({ invocationId, ...batch }: Batch): string | undefined {
    if (invocationId === '') return undefined;
    return this.byInvocation(tenantOf(batch), invocationId)?.batch.batchId;
  }

  add(batch: Batch, entries: readonly CommitEntry[]): void {
    this.#batches.set(batch.batchId, structuredClone(batch));
    const members = entries.map(({ executionId, record, member }): BatchMember => {
      const { member: place = 0, name = '' } = record?.batch ?? {};
      const { layer = 0, follows = [] } = member ?? {};
      return {
        member: place,
        name,
        executionId,
        layer,
        follows,
        taskName: record?.taskName ?? '',
        status: 'pending',
      };
    });
    this.#members.set(
      batch.batchId,
      members.sort((a, b) => a.member - b.member),
    );
  }

  save(batch: Batch): void {
    this.#batches.set(batch.batchId, structuredClone(batch));
  }

  /** False where it is not as `before`. */
  supervise(
    before: Batch,
    batch: Batch,
    entries: readonly CommitEntry[],
    endings: readonly MemberEnding[],
  ): boolean {
    if (JSON.stringify(this.#batches.get(batch.batchId)) !== JSON.stringify(before)) return false;
    this.save(batch);
    const members = this.#members.get(batch.batchId) ?? [];
    for (const { executionId, record } of entries) {
      const place = record?.batch?.member ?? 0;
      const known = members[place];
      if (known !== undefined) members[place] = { ...known, executionId };
    }
    for (const { member, end } of endings) {
      const known = members[member];
      if (known === undefined || known.sequence !== undefined) continue;
      const sequence = members.filter((each) => each.sequence !== undefined).length + 1;
      members[member] = { ...known, ...end, sequence };
    }
    return true;
  }

  /** A record was written. */
  written({ batch, status, outcome, completedAt = 0 }: ExecutionRecord): void {
    if (batch?.supervised === true) return;
    const members = batch && this.#members.get(batch.batchId);
    const known = members?.[batch?.member ?? 0];
    if (members === undefined || known === undefined || !isTerminal(status) || known.sequence !== undefined)
      return;
    const sequence = members.filter((each) => each.sequence !== undefined).length + 1;
    members[known.member] = {
      ...known,
      status,
      endedAt: completedAt,
      sequence,
      ...(outcome !== undefined && outcome.status !== 'completed' && { errorCode: outcome.code }),
    };
  }

  get(batchId: string): BatchState | undefined {
    const batch = this.#batches.get(batchId);
    return batch === undefined ? undefined : { batch: structuredClone(batch), counts: this.#counts(batch) };
  }

  byInvocation(tenant: string, invocationId: string): BatchState | undefined {
    const found = [...this.#batches.values()].find(
      (batch) => tenantOf(batch) === tenant && batch.invocationId === invocationId,
    );
    return found === undefined ? undefined : this.get(found.batchId);
  }

  list(tenant: string | undefined, beforeId: string, limit: number): BatchState[] {
    return [...this.#batches.values()]
      .filter((batch) => tenant === undefined || tenantOf(batch) === tenant)
      .filter(({ batchId }) => beforeId === '' || batchId < beforeId)
      .sort((a, b) => (a.batchId < b.batchId ? 1 : -1))
      .slice(0, limit)
      .map((batch) => ({ batch, counts: this.#counts(batch) }));
  }

  members(batchId: string, query: MemberQuery): BatchMember[] {
    return (this.#members.get(batchId) ?? [])
      .map((member) => ({ ...member, status: this.#record(member.executionId)?.status ?? member.status }))
      .filter((member) => member.member > query.after && isWanted(member, query))
      .slice(0, query.limit);
  }

  endings(batchId: string, from: number, limit: number): BatchEnding[] {
    return (this.#members.get(batchId) ?? [])
      .filter((member): member is BatchEnding => member.sequence !== undefined && member.sequence >= from)
      .sort((a, b) => a.sequence - b.sequence)
      .slice(0, limit);
  }

  #counts({ batchId, members: total }: Batch): BatchCounts {
    const members = this.#members.get(batchId) ?? [];
    const ended = this.endings(batchId, 1, members.length);
    const of = (status: string): number => ended.filter((member) => member.status === status).length;
    return {
      ended: ended.length,
      completed: of('completed'),
      failed: of('failed'),
      cancelled: of('cancelled'),
      timedOut: of('timedOut'),
      running: members.filter(({ executionId }) => this.#record(executionId)?.status === 'running').length,
      ...(ended.length >= total && { completedAt: ended.at(-1)?.endedAt ?? 0 }),
    };
  }
}
