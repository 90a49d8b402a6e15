/**
 * A store for tests: what the embedded one does, without a medium. It copies what goes in and out, so that
 * no caller shares state with it, and its medium can be made to fail.
 */
import type {
  Batch,
  BatchEnding,
  BatchMember,
  BatchState,
  MemberQuery,
} from '../../../src/domain/batch/batch.ts';
import {
  type BlockedState,
  dependencyEnd,
  failsDependant,
  isReleased,
} from '../../../src/domain/dependency.ts';
import type { LogEvent, NewEvent } from '../../../src/domain/event.ts';
import {
  type ExecutionRecord,
  type ExecutionStatus,
  executionStatuses,
  type Invocation,
  isTerminal,
  keptSince,
} from '../../../src/domain/execution.ts';
import { hasLabels, type Labels } from '../../../src/domain/labels.ts';
import type { DeletedExecution, StatusCounts } from '../../../src/domain/node-feed.ts';
import type { Quota } from '../../../src/domain/quota.ts';
import type { TaskAlias } from '../../../src/domain/revisions/alias.ts';
import type { NodeUse } from '../../../src/domain/scheduling/order-use.ts';
import {
  type InvocationKey,
  invocationKey,
  type Scope,
  sees,
  tenantOf,
  wholeNode,
} from '../../../src/domain/scope.ts';
import type {
  DuePlace,
  SideRow,
  SideRowChange,
  SideRowId,
  SideRowQuery,
} from '../../../src/domain/side-row.ts';
import type { Task } from '../../../src/domain/task.ts';
import { assertNumbered } from '../../../src/stores/entry.ts';
import { emptyInvocation, isEmptyInvocation } from '../../../src/stores/invocation.ts';
import {
  type BatchResult,
  type CommitEntry,
  type CommitResult,
  type EventQuery,
  type ExecutionFilter,
  type LogOutline,
  type MemberEnding,
  type NodeEvent,
  type OrderChanges,
  type Retained,
  type Retention,
  type Store,
  type StoreCounts,
  type StoredBytes,
  type StoredOrder,
  type StoredQuota,
  StoreError,
  type SuperviseResult,
  type WaitingAlarm,
  type WaitingExecution,
  type WaitingKey,
  type WaitingLineCount,
  type WaitingPlace,
} from '../../../src/stores/store.ts';
import { MemoryBatches } from './batches.ts';
import { MemoryLogs } from './logs.ts';
import { MemoryRows } from './rows.ts';
import { MemoryTasks } from './tasks.ts';

export interface MemoryStore extends Store {
  lowSpace: boolean;
  /** Every call from now on rejects with a StoreError of that cause, until undefined heals the medium. */
  setFault(cause: Error | undefined): void;
  /** The next call rejects with a StoreError of that cause. */
  failNext(cause: Error): void;
}

export function createMemoryStore(): MemoryStore {
  return new InMemory();
}

class InMemory implements MemoryStore {
  lowSpace = false;
  readonly #logs = new MemoryLogs();
  readonly #records = new Map<string, ExecutionRecord>();
  readonly #inputs = new Map<string, Invocation>();
  readonly #claims = new Map<InvocationKey, string>();
  readonly #staged = new Set<string>();
  readonly #batches = new MemoryBatches((id) => this.#records.get(id));
  readonly #quotas = new Map<string, Quota>();
  readonly #nodes = new Map<string, NodeUse>();
  readonly #meters = new Map<string, number>();
  #emptyAt: number | undefined;
  readonly #waiting = new Map<string, WaitingPlace>();
  readonly #tasks = new MemoryTasks();
  readonly #rows = new MemoryRows();
  #fault: Error | undefined;
  #nextFault: Error | undefined;
  #closed = false;

  setFault(cause: Error | undefined): void {
    this.#fault = cause;
  }

  failNext(cause: Error): void {
    this.#nextFault = cause;
  }

  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    this.#touch();
    return entries.map((entry) => this.#write(entry));
  }

  #write(entry: CommitEntry): CommitResult {
    const { executionId, expectedLastSequence: expected, events, record, claimInvocationId } = entry;
    const lastSequence = this.#logs.last(executionId);
    if (lastSequence !== expected) return { ok: false, conflict: 'sequence', lastSequence };
    const claim =
      claimInvocationId === undefined ? undefined : invocationKey(tenantOf(record ?? {}), claimInvocationId);
    const owner = claim === undefined ? undefined : this.#claims.get(claim);
    if (owner !== undefined && owner !== executionId) {
      return { ok: false, conflict: 'invocation', executionId: owner };
    }
    const isNew = !this.#records.has(executionId);
    const lacking = isNew
      ? record?.dependsOn?.find((dependency) => !this.#records.has(dependency.executionId))
      : undefined;
    if (lacking !== undefined) return { ok: false, conflict: 'dependency', executionId: lacking.executionId };
    if (claim !== undefined) this.#claims.set(claim, executionId);
    const position = this.#logs.append(executionId, events);
    for (const { meter, fullAt } of entry.meters ?? []) {
      this.#meters.set(meter, Math.max(fullAt, this.#meters.get(meter) ?? fullAt));
    }
    this.#rows.save(entry.rows ?? []);
    if (entry.input !== undefined && !isEmptyInvocation(entry.input) && !this.#inputs.has(executionId)) {
      this.#inputs.set(executionId, copyInvocation(entry.input));
    }
    if (record !== undefined) {
      this.#records.set(executionId, structuredClone(record));
      this.#batches.written(record);
      this.#staged.delete(executionId);
      this.#waiting.delete(executionId);
      if (!isTerminal(record.status) && entry.waiting !== undefined) {
        this.#waiting.set(executionId, { ...entry.waiting });
      }
    }
    return { ok: true, position };
  }

  async stage(executionId: string, events: readonly NewEvent[]): Promise<void> {
    const expectedLastSequence = (events[0]?.sequence ?? 1) - 1;
    assertNumbered({ executionId, expectedLastSequence, events });
    this.#touch();
    const last = this.#logs.last(executionId);
    if (this.#records.has(executionId) || (last > 0 && !this.#staged.has(executionId))) {
      throw new StoreError(`cannot stage a log: there is an execution ${executionId}`);
    }
    if (last !== expectedLastSequence) throw new RangeError(`${executionId}: the log is at ${last}`);
    this.#staged.add(executionId);
    this.#logs.append(executionId, events);
  }

  async unstage(executionId: string): Promise<void> {
    this.#touch();
    if (this.#staged.delete(executionId)) this.#logs.delete(executionId);
  }

  async delete(executionId: string): Promise<boolean> {
    this.#touch();
    const record = this.#records.get(executionId);
    if (record === undefined || !isTerminal(record.status) || this.#isFollowed(executionId)) return false;
    this.#logs.delete(executionId);
    this.#records.delete(executionId);
    this.#inputs.delete(executionId);
    for (const [claim, owner] of this.#claims) if (owner === executionId) this.#claims.delete(claim);
    return true;
  }

  async retain({ endedBefore, maxBytes }: Retention): Promise<Retained> {
    this.#touch();
    const finished = this.#sorted().filter(
      ({ executionId, status }) => isTerminal(status) && !this.#isFollowed(executionId),
    );
    const old = finished.filter((record) => keptSince(record) < endedBefore);
    for (const { executionId } of old) await this.delete(executionId);
    const kept = finished.filter((record) => !old.includes(record));
    let deletedLogs = 0;
    const shortened: string[] = [];
    for (const { executionId, lastSequence, oldestSequence = 1, ...rest } of kept) {
      if (this.#bytes() <= maxBytes) break;
      if (oldestSequence >= lastSequence) continue;
      this.#logs.purge(executionId);
      this.#records.set(executionId, { ...rest, executionId, lastSequence, oldestSequence: lastSequence });
      deletedLogs++;
      shortened.push(executionId);
    }
    const deletedExecutions = old.map(goneOf);
    for (const record of kept) {
      if (this.#bytes() <= maxBytes) break;
      await this.delete(record.executionId);
      deletedExecutions.push(goneOf(record));
    }
    return { deletedExecutions, deletedLogs, ...(shortened.length > 0 && { shortened }), more: false };
  }

  #bytes(): number {
    let total = 0;
    for (const id of this.#records.keys()) {
      total += recordBytes + this.#logs.bytes(id) + (this.#inputs.get(id)?.input.byteLength ?? 0);
    }
    return total;
  }

  async execution(executionId: string): Promise<ExecutionRecord | undefined> {
    this.#touch();
    return structuredClone(this.#records.get(executionId));
  }

  async executionByInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined> {
    this.#touch();
    return structuredClone(this.#records.get(this.#claims.get(invocationKey(tenant, invocationId)) ?? ''));
  }

  async input(executionId: string): Promise<Invocation | undefined> {
    this.#touch();
    if (!this.#records.has(executionId)) return undefined;
    const invocation = this.#inputs.get(executionId);
    return invocation === undefined ? emptyInvocation() : copyInvocation(invocation);
  }

  async executions(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    this.#touch();
    const { tenant, taskId, statuses, createdAfter, createdBefore, beforeId, labels, schedule } = filter;
    return this.#sorted()
      .reverse()
      .filter((record) => tenant === undefined || tenantOf(record) === tenant)
      .filter((record) => taskId === undefined || record.taskId === taskId)
      .filter(({ batch }) => filter.batchId === undefined || batch?.batchId === filter.batchId)
      .filter((record) => statuses.length === 0 || statuses.includes(record.status))
      .filter((record) => createdAfter === undefined || record.createdAt >= createdAfter)
      .filter((record) => createdBefore === undefined || record.createdAt < createdBefore)
      .filter((record) => beforeId === undefined || record.executionId < beforeId)
      .filter((record) => hasLabels(record.labels, labels))
      .filter((record) => schedule === undefined || record.schedule === schedule)
      .slice(0, Math.max(0, filter.limit))
      .map((record) => structuredClone(record));
  }

  async unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    this.#touch();
    return this.#sorted()
      .filter((record) => !isTerminal(record.status) && record.executionId > afterId)
      .filter(({ executionId }) => !this.#waiting.has(executionId))
      .slice(0, Math.max(0, limit))
      .map((record) => structuredClone(record));
  }

  async waitingLines(): Promise<WaitingLineCount[]> {
    this.#touch();
    const counts = new Map<string, number>();
    for (const { line } of this.#waiting.values()) counts.set(line, (counts.get(line) ?? 0) + 1);
    return [...counts].map(([line, count]) => ({ line, count })).sort((a, b) => (a.line < b.line ? -1 : 1));
  }

  async waiting(line: string, after: WaitingKey | undefined, limit: number): Promise<WaitingExecution[]> {
    this.#touch();
    return this.#sorted()
      .flatMap((record) => {
        const place = this.#waiting.get(record.executionId);
        return place?.line === line ? [{ record: structuredClone(record), place }] : [];
      })
      .sort((a, b) => a.place.since - b.place.since)
      .filter(
        ({ record, place: { since } }) =>
          after === undefined ||
          since > after.since ||
          (since === after.since && record.executionId > after.executionId),
      )
      .slice(0, Math.max(0, limit));
  }

  async waitingBetween(line: string, after: WaitingKey, before: WaitingKey, limit: number): Promise<number> {
    const all = await this.waiting(line, after, Number.POSITIVE_INFINITY);
    const isBefore = ({ record: { executionId }, place: { since } }: WaitingExecution) =>
      since < before.since || (since === before.since && executionId < before.executionId);
    return Math.min(all.filter(isBefore).length, Math.max(0, limit));
  }

  async waitingExecution(executionId: string): Promise<WaitingExecution | undefined> {
    this.#touch();
    const record = this.#records.get(executionId);
    const place = this.#waiting.get(executionId);
    return record === undefined || place === undefined
      ? undefined
      : { record: structuredClone(record), place };
  }

  async waking(after: WaitingAlarm | undefined, limit: number): Promise<WaitingAlarm[]> {
    this.#touch();
    return [...this.#waiting]
      .map(([executionId, { wakesAt }]) => ({ executionId, wakesAt }))
      .filter(({ wakesAt }) => Number.isFinite(wakesAt))
      .sort((a, b) => a.wakesAt - b.wakesAt || (a.executionId < b.executionId ? -1 : 1))
      .filter(
        ({ executionId, wakesAt }) =>
          after === undefined ||
          wakesAt > after.wakesAt ||
          (wakesAt === after.wakesAt && executionId > after.executionId),
      )
      .slice(0, Math.max(0, limit));
  }

  #isFollowed(executionId: string): boolean {
    return this.#dependants(executionId).some((id) => !isTerminal(this.#records.get(id)?.status ?? 'failed'));
  }

  #dependants(executionId: string): string[] {
    return this.#sorted()
      .filter(({ dependsOn = [] }) => dependsOn.some((each) => each.executionId === executionId))
      .map((record) => record.executionId);
  }

  async admitBatch(batch: Batch, entries: readonly CommitEntry[]): Promise<BatchResult> {
    for (const entry of entries) assertNumbered(entry);
    this.#touch();
    if (this.lowSpace) return { ok: false, conflict: 'space' };
    const owner = this.#batches.ownerOf(batch);
    if (owner !== undefined) return { ok: false, conflict: 'batch', batchId: owner };
    const made = new Set(entries.map(({ executionId }) => executionId));
    for (const { executionId } of entries.flatMap(({ record }) => record?.dependsOn ?? [])) {
      if (!made.has(executionId) && !this.#records.has(executionId)) {
        return { ok: false, conflict: 'dependency', executionId };
      }
    }
    this.#batches.add(batch, entries);
    const positions = entries.map((entry) => {
      const result = this.#write(entry);
      if (!result.ok) throw new Error(`${entry.executionId}: a member of a new batch is there already`);
      return result.position;
    });
    return { ok: true, positions };
  }

  async superviseBatch(
    before: Batch,
    batch: Batch,
    entries: readonly CommitEntry[],
    endings: readonly MemberEnding[],
  ): Promise<SuperviseResult> {
    for (const entry of entries) assertNumbered(entry);
    this.#touch();
    if (!this.#batches.supervise(before, batch, entries, endings)) return { ok: false, conflict: 'changed' };
    const positions = entries.map((entry) => {
      const result = this.#write(entry);
      if (!result.ok) throw new Error(`${entry.executionId}: a member that begins again is there already`);
      return result.position;
    });
    return { ok: true, positions };
  }

  async saveBatch(batch: Batch): Promise<void> {
    this.#touch();
    this.#batches.save(batch);
  }

  async batch(batchId: string): Promise<BatchState | undefined> {
    this.#touch();
    return this.#batches.get(batchId);
  }

  async batchByInvocation(tenant: string, invocationId: string): Promise<BatchState | undefined> {
    this.#touch();
    return this.#batches.byInvocation(tenant, invocationId);
  }

  async batches(tenant: string | undefined, beforeId: string, limit: number): Promise<BatchState[]> {
    this.#touch();
    return this.#batches.list(tenant, beforeId, limit);
  }

  async unfinishedBatches(): Promise<BatchState[]> {
    this.#touch();
    return this.#batches
      .list(undefined, '', Number.POSITIVE_INFINITY)
      .filter(({ counts }) => counts.completedAt === undefined);
  }

  async batchMembers(batchId: string, query: MemberQuery): Promise<BatchMember[]> {
    this.#touch();
    return this.#batches.members(batchId, query);
  }

  async batchEndings(batchId: string, from: number, limit: number): Promise<BatchEnding[]> {
    this.#touch();
    return this.#batches.endings(batchId, from, limit);
  }

  async hasDependencies(): Promise<boolean> {
    this.#touch();
    return this.#sorted().some(({ status, dependsOn }) => !isTerminal(status) && dependsOn !== undefined);
  }

  async blocked(executionId: string): Promise<BlockedState | undefined> {
    this.#touch();
    const record = this.#records.get(executionId);
    if (record?.blocked !== true || isTerminal(record.status)) return undefined;
    const ends = (record.dependsOn ?? []).map((dependency) => ({
      dependency,
      end: dependencyEnd(this.#records.get(dependency.executionId) as ExecutionRecord),
    }));
    const failed = ends.find(({ dependency, end }) => end !== undefined && failsDependant(dependency, end));
    return {
      open: ends.filter(({ end }) => end === undefined).length,
      ...(failed !== undefined && { failedBy: failed.dependency.executionId }),
    };
  }

  async released(afterId: string, limit: number): Promise<string[]> {
    this.#touch();
    const found: string[] = [];
    for (const { executionId } of this.#sorted()) {
      const blocked = executionId > afterId ? await this.blocked(executionId) : undefined;
      if (blocked !== undefined && isReleased(blocked)) found.push(executionId);
    }
    return found.slice(0, Math.max(0, limit));
  }

  async dependants(executionId: string, afterId: string, limit: number): Promise<string[]> {
    this.#touch();
    return this.#dependants(executionId)
      .filter((id) => id > afterId)
      .slice(0, Math.max(0, limit));
  }

  #sorted(): ExecutionRecord[] {
    return [...this.#records.values()].sort((a, b) => (a.executionId < b.executionId ? -1 : 1));
  }

  async events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    this.#touch();
    return this.#staged.has(executionId) ? [] : this.#logs.page(executionId, query);
  }

  async outline(executionId: string): Promise<LogOutline> {
    this.#touch();
    return this.#logs.outline(this.#staged.has(executionId) ? '' : executionId);
  }

  async eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    this.#touch();
    return this.#logs.fromPosition(from, limit, this.#staged);
  }

  async changedSince(from: number, limit: number): Promise<string[] | undefined> {
    this.#touch();
    const events = this.#logs.fromPosition(from, limit + 1, this.#staged);
    return events.length > limit ? undefined : [...new Set(events.map(({ executionId }) => executionId))];
  }

  async lastPosition(): Promise<number> {
    this.#touch();
    return this.#logs.lastPosition;
  }

  async counts(scope: Scope = wholeNode): Promise<StoreCounts> {
    this.#touch();
    const of = (status: ExecutionStatus) =>
      [...this.#records.values()].filter((each) => each.status === status && sees(scope, each));
    const counted = executionStatuses.map((status) => [status, of(status).length]);
    return { executions: Object.fromEntries(counted) as StatusCounts, tasks: this.#tasks.named(scope) };
  }

  async order(): Promise<StoredOrder> {
    this.#touch();
    return {
      nodes: structuredClone([...this.#nodes.values()]),
      meters: [...this.#meters].map(([meter, fullAt]) => ({ meter, fullAt })),
      ...(this.#emptyAt !== undefined && { emptyAt: this.#emptyAt }),
      isWhole: true,
    };
  }

  async saveOrder({ nodes = [], forgotten = [], emptyAt, fullBefore }: OrderChanges): Promise<number> {
    this.#touch();
    for (const path of forgotten) this.#nodes.delete(JSON.stringify(path));
    for (const node of nodes) this.#nodes.set(JSON.stringify(node.path), structuredClone(node));
    if (emptyAt !== undefined) this.#emptyAt = Math.max(emptyAt, this.#emptyAt ?? emptyAt);
    const full = [...this.#meters].filter(([, fullAt]) => fullBefore !== undefined && fullAt <= fullBefore);
    for (const [meter] of full.slice(0, 1000)) this.#meters.delete(meter);
    return Math.min(full.length, 1000);
  }

  async storedBytes(tenant: string, afterId: string, limit: number): Promise<StoredBytes> {
    this.#touch();
    const ids = [...this.#records.values()]
      .filter((record) => tenantOf(record) === tenant && record.executionId > afterId)
      .map(({ executionId }) => executionId)
      .sort()
      .slice(0, limit);
    const ofOne = (executionId: string): number => {
      const record = this.#records.get(executionId);
      const input = this.#inputs.get(executionId)?.input.byteLength ?? 0;
      const output = record?.oldestSequence === undefined ? (record?.outputBytes ?? 0) : 0;
      return JSON.stringify(record).length + output + input;
    };
    const artifacts = afterId === '' ? this.#tasks.artifactBytes(tenant) : 0;
    const bytes = ids.reduce((sum, id) => sum + ofOne(id), artifacts);
    return { bytes, last: ids.length < limit ? undefined : ids.at(-1) };
  }

  async quotas(): Promise<StoredQuota[]> {
    this.#touch();
    return [...this.#quotas]
      .map(([tenant, quota]) => ({ tenant, quota: { ...quota } }))
      .sort((a, b) => (a.tenant < b.tenant ? -1 : 1));
  }

  async saveQuota(tenant: string, quota: Quota | undefined): Promise<void> {
    this.#touch();
    if (quota === undefined) this.#quotas.delete(tenant);
    else this.#quotas.set(tenant, { ...quota });
  }

  async saveRows(changes: readonly SideRowChange[]): Promise<void> {
    this.#touch();
    this.#rows.save(changes);
  }

  async row(id: SideRowId): Promise<SideRow | undefined> {
    this.#touch();
    return this.#rows.one(id);
  }

  async rows(query: SideRowQuery): Promise<SideRow[]> {
    this.#touch();
    return this.#rows.list(query);
  }

  async dueRows(kind: string, until: number, limit: number, after?: DuePlace): Promise<SideRow[]> {
    this.#touch();
    return this.#rows.due(kind, until, limit, after);
  }

  async countRows(kind: string, tenant?: string): Promise<number> {
    this.#touch();
    return this.#rows.count(kind, tenant);
  }

  async saveTask(task: Task): Promise<void> {
    this.#touch();
    this.#tasks.save(task);
  }

  async saveRevision(task: Task): Promise<void> {
    this.#touch();
    this.#tasks.saveRevision(task);
  }

  async deleteTask(taskId: string): Promise<void> {
    this.#touch();
    this.#tasks.delete(taskId);
  }

  async taskByName(tenant: string, name: string): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.byName(tenant, name);
  }

  async taskById(taskId: string): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.byId(taskId);
  }

  async taskRevision(taskId: string, revision: number): Promise<Task | undefined> {
    this.#touch();
    return this.#tasks.revision(taskId, revision);
  }

  async taskRevisions(taskId: string, before: number, limit: number): Promise<Task[]> {
    this.#touch();
    return this.#tasks.revisions(taskId, before, limit);
  }

  async deleteRevision(taskId: string, revision: number): Promise<boolean> {
    this.#touch();
    const isUsed = [...this.#records.values()].some(
      (record) => record.taskId === taskId && record.taskRevision === revision,
    );
    return !isUsed && this.#tasks.drop(taskId, revision);
  }

  async taskAliases(taskId: string): Promise<TaskAlias[]> {
    this.#touch();
    return this.#tasks.aliases(taskId);
  }

  async saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): Promise<void> {
    this.#touch();
    this.#tasks.saveAlias(taskId, name, alias);
  }

  async tasks(tenant: string, afterName: string, limit: number, labels?: Labels): Promise<Task[]> {
    this.#touch();
    return this.#tasks.list(tenant, afterName, limit, labels);
  }

  async taskTenants(): Promise<string[]> {
    this.#touch();
    return this.#tasks.tenants();
  }

  async hasArtifact(tenant: string, sha256: string): Promise<boolean> {
    this.#touch();
    return this.#tasks.hasArtifact(tenant, sha256);
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Every call reaches the medium here, and fails here. */
  #touch(): void {
    if (this.#closed) throw new StoreError('the store is closed');
    const cause = this.#nextFault ?? this.#fault;
    this.#nextFault = undefined;
    if (cause !== undefined) throw new StoreError(`the medium failed: ${cause.message}`, { cause });
  }
}

function goneOf(record: ExecutionRecord): DeletedExecution {
  const { executionId, taskName } = record;
  return { executionId, tenant: tenantOf(record), taskName };
}

/** What a record is taken to be. */
const recordBytes = 1024;

/** The bytes apart: cloning a view would copy all of the buffer below it. */
function copyInvocation(invocation: Invocation): Invocation {
  const { input, ...rest } = invocation;
  return { ...structuredClone(rest), input: Uint8Array.from(input) };
}
