/**
 * Batches: accepted whole, read from the store, cancelled member by member. Their members are executions like any
 * others, and nothing of a batch is in memory but who waits for it.
 */
import {
  type Batch,
  type BatchAdmission,
  type BatchEnding,
  type Batches,
  type BatchMember,
  type BatchPage,
  type BatchRequest,
  type BatchState,
  hasEnded,
  type MemberQuery,
  seesBatch,
} from '../../domain/batch/batch.ts';
import type { GroupQuery, MemberGroups } from '../../domain/batch/groups.ts';
import type { Supervision, SupervisionRules } from '../../domain/batch/supervision.ts';
import type { Clock } from '../../domain/clock.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import { leafOfLine } from '../../domain/scheduling/line.ts';
import { type Priority, priorities } from '../../domain/scheduling/priority.ts';
import type { Reserved } from '../../domain/scheduling/task-gates.ts';
import { invocationKey, owned, type Scope, wholeNode } from '../../domain/scope.ts';
import type { Task } from '../../domain/task.ts';
import type { CommitEntry, Store, WaitingLineCount } from '../../stores/store.ts';
import type { IdSource } from '../ids.ts';
import { noSpace } from '../log/committer.ts';
import { BatchCounting } from './batch-counting.ts';
import { bytesOf, memberEntries } from './batch-members.ts';
import { BatchSupervisors } from './batch-supervisors.ts';
import { BatchWaiters } from './batch-waiters.ts';
import { isBlockedBy, unknownDependency } from './dependency-admission.ts';
import type { LiveExecutions } from './live-executions.ts';

export interface BatchesHost {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly store: Store;
  readonly executions: LiveExecutions;
  /** Milliseconds since the epoch, as deadlines count. */
  now(): number;
  /** Throws a RequestError where nothing new is taken from callers. */
  checkCordon(): void;
  /** Throws a RequestError where no `count` more of a tenant are accepted now. */
  checkOpen(tenant: string, priority: Priority, count: number): void;
  /** Throws a RequestError where a task takes none now. */
  checkTask(task: Task): void;
  /** Throws a RequestError where no node can run it, and none will. */
  checkPlace(task: Task): void;
  reserves(task: Task): Reserved | undefined;
  placement(task: Task): string | undefined;
  /** So many more bytes of a tenant go to the store. */
  stores(tenant: string, bytes: number): void;
  /** So many executions of a tenant are about to wait, and count as if they did until the answer is called. */
  reserve(tenant: string, count: number): () => void;
  /** Nodes of a cluster share those of its members that wait for a slot; false where this one runs them itself. */
  shares?(batchId: string): boolean;
  /** So many rows wait in a line now; the first of their alarms rings at `wakesAt`. */
  adopt(line: WaitingLineCount, since: number, wakesAt: number): void;
  /** Some of what is durable now follows others. */
  follows(): void;
  /** Resolves when that is durable; rejects with not_found. */
  cancel(executionId: string, reason: string, by?: string): Promise<unknown>;
  failed(error: unknown): void;
}

/** Dependencies that are looked up in one turn of the event loop. */
const lookedUpAtOnce = 250;
/** Members that are cancelled at once. */
const cancelledAtOnce = 64;
const pageOfMembers = 500;
const pageOfBatches = 100;
/** Batches that are read for one answer, which has fewer of those in scope then. */
const mostLookedAt = 5000;
const readAgainMs = 1000;

export class BatchDesk implements Batches {
  readonly #host: BatchesHost;
  /** By invocation id, those that are being accepted. */
  readonly #admitting = new Map<string, Promise<BatchAdmission>>();
  readonly #waiters: BatchWaiters;
  readonly #counting: BatchCounting;
  readonly #cancelling = new Set<string>();
  readonly #supervisors: BatchSupervisors;
  #closed = false;

  constructor(host: BatchesHost) {
    this.#host = host;
    this.#supervisors = new BatchSupervisors({
      ...host,
      adopt: (entries, since) => this.#adopt(entries, since),
      changed: (batchId) => this.#waiters.wake(batchId),
    });
    this.#waiters = new BatchWaiters((batchId) => host.store.batch(batchId));
    this.#counting = new BatchCounting(host.store, host.clock);
  }

  /** Goes on with what an earlier run of the node was cancelling. */
  async open(): Promise<void> {
    const unfinished = await this.#host.store.unfinishedBatches();
    this.#supervisors.open(unfinished);
    for (const { batch, counts } of unfinished) {
      if (batch.supervision !== undefined) continue;
      const failures = counts.ended - counts.completed;
      if (batch.cancelling !== undefined) void this.#cancelMembers(batch);
      else if (batch.onMemberFailure === 'cancelOthers' && failures > 0)
        void this.#cancelAfter(batch.batchId);
    }
  }

  executionIds(count: number): readonly string[] {
    return Array.from({ length: count }, () => this.#host.ids('exec_'));
  }

  async admit(request: BatchRequest): Promise<BatchAdmission> {
    const { tenant, invocationId } = request;
    if (invocationId === '') return this.#admit(request);
    const key = invocationKey(tenant, invocationId);
    const other = this.#admitting.get(key);
    if (other !== undefined) return joined((await other).batch, request);
    const admitting = this.#admitOnce(request);
    this.#admitting.set(key, admitting);
    try {
      return await admitting;
    } finally {
      this.#admitting.delete(key);
    }
  }

  async #admitOnce(request: BatchRequest): Promise<BatchAdmission> {
    const found = await this.#host.store.batchByInvocation(request.tenant, request.invocationId);
    return found === undefined ? this.#admit(request) : joined(found.batch, request);
  }

  async #admit(request: BatchRequest): Promise<BatchAdmission> {
    const { tenant, members } = request;
    const priority = lowestOf(members.map((each) => each.request.priority));
    this.#host.checkCordon();
    this.#host.checkOpen(tenant, priority, members.length);
    // Others that come meanwhile find these before them.
    const release = this.#host.reserve(tenant, members.length);
    try {
      return await this.#write(request);
    } finally {
      release();
    }
  }

  async #write(request: BatchRequest): Promise<BatchAdmission> {
    const { clock, ids, store, checkTask, checkPlace, stores, now } = this.#host;
    const { tenant, members, layers, invocationId, payloadDigest, onMemberFailure, supervision, by } =
      request;
    const tasks = new Map(members.map((each) => [each.request.task.taskId, each.request.task]));
    for (const task of tasks.values()) {
      checkPlace(task);
      if (task.definition.restartIntensity !== undefined) checkTask(task);
    }
    const isBlocked = await this.#blocked(request);
    const at = { wall: Math.round(clock.now()), steady: now() };
    const batch: Batch = {
      batchId: ids('batch_'),
      ...owned(tenant),
      invocationId,
      payloadDigest,
      createdAt: at.wall,
      members: members.length,
      layers,
      onMemberFailure,
      taskNames: [...new Set(members.map((each) => each.request.task.definition.name))],
      ...(by !== undefined && { by }),
      ...(supervision !== undefined && { supervision: newSupervision(supervision, request) }),
    };
    const entries = await memberEntries(this.#host, batch.batchId, request, isBlocked, at);
    const result = await store.admitBatch(batch, entries);
    if (!result.ok) {
      if (result.conflict === 'space') throw noSpace();
      if (result.conflict === 'dependency') throw unknownDependency('members', result.executionId);
      const other = await store.batch(result.batchId);
      if (other === undefined) throw takenBy(result.batchId);
      return joined(other.batch, request);
    }
    stores(tenant, bytesOf(members));
    this.#adopt(entries, at.steady);
    if (supervision !== undefined) this.#supervisors.began(batch);
    return { batch, joined: false };
  }

  /** The members that wait for executions that are not of the batch. */
  async #blocked({ members, executionIds, tenant, scope }: BatchRequest): Promise<ReadonlySet<number>> {
    const own = new Set(executionIds);
    const blocked = new Set<number>();
    const lookup = { ...this.#host, store: onceRead(this.#host.store) };
    let lookedUp = 0;
    for (const [member, { request }] of members.entries()) {
      const dependsOn = request.dependsOn ?? [];
      const others = dependsOn.filter(({ executionId }) => !own.has(executionId));
      if (others.length === 0) continue;
      const fieldOf = (index: number): string => {
        const place = dependsOn.findIndex(({ executionId }) => executionId === others[index]?.executionId);
        return `members[${member}].invocation.depends_on[${place}].execution_id`;
      };
      if (await isBlockedBy(lookup, others, { tenant, scope }, fieldOf)) blocked.add(member);
      lookedUp += others.length;
      if (lookedUp < lookedUpAtOnce) continue;
      lookedUp = 0;
      await new Promise((resolve) => void setImmediate(resolve));
    }
    return blocked;
  }

  /** What the store has now waits in its lines. */
  #adopt(entries: readonly CommitEntry[], since: number): void {
    const lines = new Map<string, { count: number; wakesAt: number }>();
    for (const { waiting } of entries) {
      if (waiting === undefined) continue;
      const line = lines.get(waiting.line) ?? { count: 0, wakesAt: Number.POSITIVE_INFINITY };
      line.count += 1;
      line.wakesAt = Math.min(line.wakesAt, waiting.wakesAt);
      lines.set(waiting.line, line);
    }
    const batchId = entries[0]?.record?.batch?.batchId;
    const isShared = batchId !== undefined && this.#host.shares?.(batchId) === true;
    for (const [line, { count, wakesAt }] of lines) {
      if (isShared && leafOfLine(line) !== undefined) continue;
      this.#host.adopt({ line, count }, since, wakesAt);
    }
    if (entries.some(({ record }) => record?.blocked === true)) this.#host.follows();
  }

  async get(scope: Scope, batchId: string): Promise<BatchState> {
    const found = await this.#host.store.batch(batchId);
    if (found === undefined || !seesBatch(scope, found.batch)) throw batchNotFound(batchId);
    return found;
  }

  async list(scope: Scope, beforeId: string, limit: number): Promise<BatchPage> {
    const batches: BatchState[] = [];
    let before = beforeId;
    for (let lookedAt = 0; lookedAt < mostLookedAt; ) {
      const page = await this.#host.store.batches(scope.tenant, before, pageOfBatches);
      for (const state of page) {
        if (batches.length === limit) return { batches, next: before };
        before = state.batch.batchId;
        if (seesBatch(scope, state.batch)) batches.push(state);
      }
      if (page.length < pageOfBatches) return { batches };
      lookedAt += page.length;
      // Others are served between two pages.
      await new Promise((resolve) => void setImmediate(resolve));
    }
    return { batches, next: before };
  }

  supervised(scope: Scope, limit: number): Promise<readonly BatchState[]> {
    return this.#supervisors.list(scope, limit);
  }

  async members(scope: Scope, batchId: string, query: MemberQuery): Promise<readonly BatchMember[]> {
    await this.get(scope, batchId);
    return this.#host.store.batchMembers(batchId, query);
  }

  async groups(scope: Scope, batchId: string, query: GroupQuery): Promise<MemberGroups> {
    return this.#counting.groups(await this.get(scope, batchId), query);
  }

  endings(batchId: string, from: number, limit: number): Promise<readonly BatchEnding[]> {
    return this.#host.store.batchEndings(batchId, from, limit);
  }

  async beyond(batchId: string, sequence: number, signal: AbortSignal): Promise<void> {
    const isThere = await this.#waiters.beyond(batchId, sequence, signal);
    // Who asked again at once would never let the node end.
    if (!isThere && !signal.aborted) throw stopping(batchId);
  }

  async cancel(
    scope: Scope,
    batchId: string,
    reason: string,
    by?: string,
  ): Promise<{ changed: boolean; state: BatchState }> {
    const { store } = this.#host;
    const state = await this.get(scope, batchId);
    if (hasEnded(state) || state.batch.cancelling !== undefined) return { changed: false, state };
    if (state.batch.supervision !== undefined) {
      const changed = await this.#supervisors.cancel(batchId, reason, by);
      return { changed, state: await this.get(scope, batchId) };
    }
    const batch = { ...state.batch, cancelling: { reason, ...(by !== undefined && { by }) } };
    await store.saveBatch(batch);
    void this.#cancelMembers(batch);
    return { changed: true, state: { ...state, batch } };
  }

  /** The end of a member is durable. */
  ended(record: ExecutionRecord): void {
    const { batch, status } = record;
    if (batch === undefined) return;
    if (batch.supervised === true) {
      this.#supervisors.ended(record);
      return;
    }
    this.#waiters.ended(batch.batchId);
    if (isTerminal(status) && status !== 'completed' && !this.#cancelling.has(batch.batchId)) {
      void this.#cancelAfter(batch.batchId);
    }
  }

  /** Members may have ended on other nodes. */
  lookAgain(): void {
    this.#waiters.wakeAll();
  }

  close(): void {
    this.#closed = true;
    this.#supervisors.close();
    this.#waiters.close();
  }

  /** A member has failed: the others end with it, where the batch says so. */
  async #cancelAfter(batchId: string): Promise<void> {
    const { store, failed, clock } = this.#host;
    if (this.#closed) return;
    try {
      const state = await store.batch(batchId);
      if (state?.batch.onMemberFailure !== 'cancelOthers') return;
      await this.cancel(wholeNode, batchId, 'another member of its batch did not complete');
    } catch (error) {
      failed(error);
      clock.setTimer(readAgainMs, () => void this.#cancelAfter(batchId));
    }
  }

  /** The last layer first, so that nothing fails for what it depends on. */
  async #cancelMembers(batch: Batch): Promise<void> {
    const { batchId, cancelling } = batch;
    if (this.#cancelling.has(batchId) || cancelling === undefined) return;
    this.#cancelling.add(batchId);
    const { store, cancel, failed, clock } = this.#host;
    try {
      const statuses = ['pending', 'running'] as const;
      const members: BatchMember[] = [];
      for (let after = -1; ; ) {
        const page = await store.batchMembers(batchId, { after, limit: pageOfMembers, statuses });
        members.push(...page);
        const last = page.at(-1);
        if (last === undefined || page.length < pageOfMembers) break;
        after = last.member;
      }
      members.sort((a, b) => b.layer - a.layer || a.member - b.member);
      for (let next = 0; next < members.length && !this.#closed; next += cancelledAtOnce) {
        const some = members.slice(next, next + cancelledAtOnce);
        await Promise.all(
          some.map(({ executionId }) =>
            cancel(executionId, cancelling.reason, cancelling.by).catch(unlessGone),
          ),
        );
      }
    } catch (error) {
      failed(error);
      clock.setTimer(readAgainMs, () => void this.#cancelMembers(batch));
    } finally {
      this.#cancelling.delete(batchId);
    }
  }
}

function newSupervision(rules: SupervisionRules, { members, executionIds }: BatchRequest): Supervision {
  return {
    ...rules,
    members: members.map(({ name, request, restart = 'permanent' }, member) => ({
      ...{ name, restart, timeouts: request.timeouts },
      executionId: executionIds[member] ?? '',
      state: 'up',
      restarts: 0,
    })),
    phase: { kind: 'running' },
    recent: [],
    counted: 0,
  };
}

/** Records by id, each read once, of which nothing is kept but what those that follow it ask for. */
function onceRead(store: Pick<Store, 'execution'>): Pick<Store, 'execution'> {
  const known = new Map<string, Promise<ExecutionRecord | undefined>>();
  return {
    execution(executionId) {
      const found = known.get(executionId) ?? store.execution(executionId).then(asFollowed);
      known.set(executionId, found);
      return found;
    },
  };
}

/** Without what may be large. */
function asFollowed(record: ExecutionRecord | undefined): ExecutionRecord | undefined {
  if (record === undefined) return undefined;
  const { labels: _labels, dependsOn: _dependsOn, onEnd: _onEnd, ...rest } = record;
  const { outcome } = rest;
  const told = outcome?.output === undefined ? outcome : { ...outcome, output: '' };
  return { ...rest, metadata: {}, ...(told !== undefined && { outcome: told }) } as ExecutionRecord;
}

function unlessGone(error: unknown): void {
  if (!(error instanceof RequestError && error.kind === 'not_found')) throw error;
}

function lowestOf(given: readonly (Priority | undefined)[]): Priority {
  return priorities.find((priority) => given.some((each = 'normal') => each === priority)) ?? 'normal';
}

function joined(
  batch: Batch,
  { payloadDigest, invocationId, scope = wholeNode }: BatchRequest,
): BatchAdmission {
  if (batch.payloadDigest === payloadDigest) return { batch, joined: true };
  throw takenBy(seesBatch(scope, batch) ? batch.batchId : '', invocationId);
}

function takenBy(batchId: string, invocationId = ''): RequestError {
  const owner = batchId === '' ? '' : `by ${batchId} `;
  return new RequestError(
    'already_exists',
    `invocation_id: already used ${owner}with other members; allowed is a new id, or the same members`,
    {
      reason: 'INVOCATION_ID_IN_USE',
      metadata: { ...(batchId !== '' && { batch_id: batchId }), invocation_id: invocationId },
    },
  );
}

function batchNotFound(batchId: string): RequestError {
  return new RequestError('not_found', `no batch ${quote(batchId)}`, {
    reason: 'BATCH_NOT_FOUND',
    metadata: { batch: batchId },
  });
}

function stopping(batchId: string): RequestError {
  return new RequestError('unavailable', 'the node is stopping; the batch goes on when it is back', {
    reason: 'DRAINING',
    retryAfterMs: 1000,
    metadata: { batch: batchId },
  });
}
