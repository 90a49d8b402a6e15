import type { Batch, BatchEnding, BatchMember, BatchState, MemberQuery } from '../../domain/batch/batch.ts';
import type { Clock } from '../../domain/clock.ts';
import type { BlockedState } from '../../domain/dependency.ts';
import type { EngineAddress } from '../../domain/engine-address.ts';
import type { LogEvent, NewEvent } from '../../domain/event.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { Labels } from '../../domain/labels.ts';
import type { Quota } from '../../domain/quota.ts';
import type { TaskAlias } from '../../domain/revisions/alias.ts';
import { type Scope, wholeNode } from '../../domain/scope.ts';
import type { SharedTurns } from '../../domain/shared-turns.ts';
import type { DuePlace, SideRow, SideRowChange, SideRowId, SideRowQuery } from '../../domain/side-row.ts';
import type { Task } from '../../domain/task.ts';
import type { ArtifactFiles, Artifacts } from '../artifacts.ts';
import type { ClusterQueue, ClusterSaying } from '../cluster-queue.ts';
import { assertNumbered } from '../entry.ts';
import { emptyInvocation } from '../invocation.ts';
import type { Membership, NodeFacts } from '../membership.ts';
import type { SharedChanges } from '../shared-changes.ts';
import {
  type BatchResult,
  type CommitEntry,
  type CommitResult,
  type EventQuery,
  type ExecutionFilter,
  Fenced,
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
} from '../store.ts';
import { SharedArtifacts } from './artifacts.ts';
import { loadDriver, type SessionKind } from './engine/driver.ts';
import { Listener } from './engine/listener.ts';
import { Readers } from './engine/readers.ts';
import { Session, type SessionOptions } from './engine/session.ts';
import { PostgresMembership, register, renewalMs } from './membership.ts';
import { PostgresQueue } from './queue.ts';
import { BatchReader } from './read/batches.ts';
import { Dependencies } from './read/dependencies.ts';
import { Logs } from './read/logs.ts';
import { Records } from './read/records.ts';
import { SideRows } from './read/side-rows.ts';
import { Tasks } from './read/tasks.ts';
import { WaitingLines } from './read/waiting.ts';
import { Retaining } from './retention/retention.ts';
import { Sweep } from './retention/sweep.ts';
import { migrate } from './schema/migrate.ts';
import { Shared } from './shared.ts';
import { PostgresTurns } from './shared-turns.ts';
import { commitBatch } from './write/batch-admission.ts';
import { Changes } from './write/changes.ts';
import { Commits } from './write/commits.ts';

export interface PostgresStoreOptions {
  readonly address: EngineAddress;
  /** Whose executions these are; its earlier runs may not write from now on. */
  readonly nodeId: string;
  /** What the other nodes know of it. */
  readonly facts: NodeFacts;
  /** Artifacts that this node has at hand; `artifacts/` of its data folder. */
  readonly files: ArtifactFiles;
  readonly clock: Pick<Clock, 'monotonic' | 'setTimer'>;
  /** Hears once that other nodes have taken over what this one had. */
  readonly lost?: (error: Fenced) => void;
  /** Hears which nodes this one has taken the right to write from. */
  readonly fenced?: (names: readonly string[]) => void;
}

export interface PostgresStoreParts {
  readonly store: Store;
  /** What other nodes change of what this one has in memory. */
  readonly shared: SharedChanges;
  /** What waits for a node of the cluster. */
  readonly queue: ClusterQueue;
  readonly turns: SharedTurns;
  readonly artifacts: Artifacts;
  readonly membership: Membership;
}

/** Connections that read. */
const readerCount = 3;
/** A renewal that hangs is given up, so that two more fit into a lease. */
const renewalBounds = { statementMs: renewalMs, silenceMs: 50, connectMs: renewalMs };
const takeoverBounds = { statementMs: 10_000 };

/**
 * Opens the store in a PostgreSQL database, in its schema `spear`. Rejects with StoreError where the engine cannot be
 * reached, is not one to trust, has what a newer Spear wrote, or has a node of that name that is alive.
 */
export async function openPostgresStore({
  address,
  nodeId,
  files,
  clock,
  facts,
  lost = () => {},
  fenced = () => {},
}: PostgresStoreOptions): Promise<PostgresStoreParts> {
  const driver = await loadDriver();
  const session = (kind: SessionKind, bounds: Partial<SessionOptions> = {}) =>
    new Session({ address, driver, kind, clock, ...bounds });
  const [commits, changes] = [session('writer'), session('writer')];
  let membership: PostgresMembership | undefined;
  let listener: Listener | undefined;
  const readers = new Readers(Array.from({ length: readerCount }, () => session('reader')));
  const close = async (): Promise<void> => {
    await listener?.close();
    await Promise.all([commits.close(), changes.close(), readers.close()]);
    await membership?.end();
  };
  try {
    await migrate(changes);
    const registeredAt = clock.monotonic();
    const { incarnation, position } = await register(changes, nodeId, facts);
    const entries = new Commits(commits, incarnation, position);
    membership = new PostgresMembership(incarnation, registeredAt, {
      ...{ readers, clock, nodeId, facts, lost, fenced },
      advance: (beyond) => entries.advance(beyond),
      renewals: session('writer', renewalBounds),
      takeovers: session('writer', takeoverBounds),
    });
    membership.keep();
    const others = new Changes(changes, readers, incarnation);
    await others.call('cannot drop what was staged', 'drop_lost_stages', []).catch((error: unknown) => {
      // Whoever has its right to write by now does the same.
      if (!(error instanceof Fenced)) throw error;
    });
    const shared = new Shared(readers, others, clock);
    await shared.open();
    const queue = new PostgresQueue(readers, others, incarnation, (beyond) => entries.advance(beyond));
    const poked = (payload: string | undefined) => {
      const saying = payload === undefined ? undefined : (JSON.parse(payload) as { kind: string });
      if (saying === undefined || saying.kind === 'shared') void shared.look();
      if (saying === undefined || saying.kind === 'gone') membership?.heardOfGone();
      if (saying?.kind !== 'shared' && saying?.kind !== 'gone')
        queue.heard(saying as ClusterSaying | undefined);
    };
    membership.onChange(() => void shared.look());
    listener = new Listener({ address, driver, clock, channel: 'spear', heard: poked });
    await listener.open();
    const store = new PostgresStore({
      commits: entries,
      changes: others,
      shared,
      readers,
      files,
      clock,
      close,
      incarnation,
    });
    return {
      store,
      shared,
      queue,
      turns: new PostgresTurns(others, clock),
      artifacts: new SharedArtifacts(files, readers, others, clock),
      membership,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

class PostgresStore implements Store {
  readonly lowSpace = false;
  readonly #commits: Commits;
  readonly #changes: Changes;
  readonly #shared: Shared;
  readonly #records: Records;
  readonly #logs: Logs;
  readonly #waiting: WaitingLines;
  readonly #batches: BatchReader;
  readonly #clock: PostgresStoreOptions['clock'];
  readonly #dependencies: Dependencies;
  readonly #tasks: Tasks;
  readonly #sideRows: SideRows;
  readonly #retaining: Retaining;
  readonly #close: () => Promise<void>;

  constructor(parts: {
    readonly commits: Commits;
    readonly changes: Changes;
    readonly shared: Shared;
    readonly readers: Readers;
    readonly files: ArtifactFiles;
    readonly clock: PostgresStoreOptions['clock'];
    readonly close: () => Promise<void>;
    readonly incarnation: number;
  }) {
    const { commits, changes, shared, readers, files, clock, close, incarnation } = parts;
    this.#commits = commits;
    this.#shared = shared;
    this.#changes = changes;
    this.#records = new Records(readers, incarnation);
    this.#logs = new Logs(readers);
    this.#waiting = new WaitingLines(readers, incarnation);
    this.#batches = new BatchReader(readers, incarnation);
    this.#clock = clock;
    this.#dependencies = new Dependencies(readers, incarnation);
    this.#tasks = new Tasks(readers);
    this.#sideRows = new SideRows(readers);
    this.#retaining = new Retaining(
      readers,
      changes,
      new Sweep(files, readers, this.#tasks, changes),
      () => commits.written,
    );
    this.#close = close;
  }

  async commit(entries: readonly CommitEntry[]): Promise<CommitResult[]> {
    for (const entry of entries) assertNumbered(entry);
    return this.#commits.commit(entries);
  }

  async admitBatch(batch: Batch, entries: readonly CommitEntry[]): Promise<BatchResult> {
    for (const entry of entries) assertNumbered(entry);
    const result = await commitBatch(this.#commits, this.#clock, { made: batch }, entries);
    if (result.ok || result.conflict !== 'changed') return result;
    throw new Error('a batch that is new was changed');
  }

  async superviseBatch(
    before: Batch,
    batch: Batch,
    entries: readonly CommitEntry[],
    endings: readonly MemberEnding[],
  ): Promise<SuperviseResult> {
    for (const entry of entries) assertNumbered(entry);
    const result = await commitBatch(
      this.#commits,
      this.#clock,
      { before, supervised: batch, endings },
      entries,
    );
    if (result.ok || result.conflict === 'changed' || result.conflict === 'space') return result;
    throw new Error(`a member of a supervised batch cannot begin again: ${result.conflict}`);
  }

  async saveBatch(batch: Batch): Promise<void> {
    await this.#changes.call('cannot save a batch', 'save_batch', [batch.batchId, JSON.stringify(batch)]);
  }

  batch(batchId: string): Promise<BatchState | undefined> {
    return this.#batches.one(batchId);
  }

  batchByInvocation(tenant: string, invocationId: string): Promise<BatchState | undefined> {
    return this.#batches.byInvocation(tenant, invocationId);
  }

  batches(tenant: string | undefined, beforeId: string, limit: number): Promise<BatchState[]> {
    return this.#batches.list(tenant, beforeId, limit);
  }

  unfinishedBatches(): Promise<BatchState[]> {
    return this.#batches.unfinished();
  }

  batchMembers(batchId: string, query: MemberQuery): Promise<BatchMember[]> {
    return this.#batches.members(batchId, query);
  }

  batchEndings(batchId: string, from: number, limit: number): Promise<BatchEnding[]> {
    return this.#batches.endings(batchId, from, limit);
  }

  async stage(executionId: string, events: readonly NewEvent[]): Promise<void> {
    const expectedLastSequence = (events[0]?.sequence ?? 1) - 1;
    const entry = { executionId, expectedLastSequence, events };
    assertNumbered({ ...entry, ...(events.length === 0 && { expectedLastSequence: 1 }) });
    const [result] = await this.#commits.commit([entry], true);
    if (result?.ok === true) return;
    const [outline, record] = [await this.outline(executionId), await this.execution(executionId)];
    if (record !== undefined || outline.lastTime > 0) {
      throw new StoreError(`cannot stage a log: there is an execution ${executionId}`);
    }
    throw new RangeError(`${executionId}: event ${expectedLastSequence + 1} does not follow what is staged`);
  }

  async unstage(executionId: string): Promise<void> {
    await this.#changes.call('cannot unstage a log', 'unstage_log', [executionId]);
    this.#commits.dropped(executionId);
  }

  delete(executionId: string): Promise<boolean> {
    return this.#retaining.delete(executionId);
  }

  retain(retention: Retention): Promise<Retained> {
    return this.#retaining.step(retention);
  }

  execution(executionId: string): Promise<ExecutionRecord | undefined> {
    return this.#records.get(executionId);
  }

  executionByInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined> {
    return this.#records.byInvocation(tenant, invocationId);
  }

  async input(executionId: string): Promise<Invocation | undefined> {
    const stored = await this.#records.input(executionId);
    if (stored === undefined) return undefined;
    if (stored === null) return emptyInvocation();
    return { ...(JSON.parse(stored.invocation) as Omit<Invocation, 'input'>), input: stored.input };
  }

  executions(filter: ExecutionFilter): Promise<ExecutionRecord[]> {
    return this.#records.list(filter);
  }

  unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]> {
    return this.#records.unfinished(afterId, limit);
  }

  waitingLines(): Promise<WaitingLineCount[]> {
    return this.#waiting.lines();
  }

  waiting(line: string, after: WaitingKey | undefined, limit: number): Promise<WaitingExecution[]> {
    return this.#waiting.line(line, after, limit);
  }

  waitingBetween(line: string, after: WaitingKey, before: WaitingKey, limit: number): Promise<number> {
    return this.#waiting.between(line, after, before, limit);
  }

  waitingExecution(executionId: string): Promise<WaitingExecution | undefined> {
    return this.#waiting.one(executionId);
  }

  waking(after: WaitingAlarm | undefined, limit: number): Promise<WaitingAlarm[]> {
    return this.#waiting.alarms(after, limit);
  }

  hasDependencies(): Promise<boolean> {
    return this.#dependencies.any();
  }

  blocked(executionId: string): Promise<BlockedState | undefined> {
    return this.#dependencies.blocked(executionId);
  }

  released(afterId: string, limit: number): Promise<string[]> {
    return this.#dependencies.released(afterId, limit);
  }

  dependants(executionId: string, afterId: string, limit: number): Promise<string[]> {
    return this.#dependencies.dependants(executionId, afterId, limit);
  }

  events(executionId: string, query: EventQuery): Promise<LogEvent[]> {
    return this.#logs.events(executionId, query);
  }

  outline(executionId: string): Promise<LogOutline> {
    return this.#logs.outline(executionId);
  }

  eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]> {
    return this.#logs.fromPosition(from, limit);
  }

  changedSince(from: number, limit: number): Promise<string[] | undefined> {
    return this.#logs.changedSince(from, limit);
  }

  lastPosition(): Promise<number> {
    return this.#logs.lastPosition();
  }

  async counts(scope: Scope = wholeNode): Promise<StoreCounts> {
    const [executions, tasks] = [await this.#records.counts(scope), await this.#tasks.named(scope)];
    return { executions, tasks };
  }

  async saveTask(task: Task, before?: Pick<Task, 'taskId' | 'revision'> | null): Promise<void> {
    await this.#changes.saveTask(task, before);
    await this.#shared.settled();
  }

  saveRevision(task: Task): Promise<void> {
    return this.#changes.saveRevision(task);
  }

  async deleteTask(taskId: string): Promise<void> {
    await this.#changes.deleteTask(taskId);
    await this.#shared.settled();
  }

  taskByName(tenant: string, name: string): Promise<Task | undefined> {
    return this.#tasks.byName(tenant, name);
  }

  taskById(taskId: string): Promise<Task | undefined> {
    return this.#tasks.byId(taskId);
  }

  taskRevision(taskId: string, revision: number): Promise<Task | undefined> {
    return this.#tasks.revision(taskId, revision);
  }

  taskRevisions(taskId: string, before: number, limit: number): Promise<Task[]> {
    return this.#tasks.revisions(taskId, before, limit);
  }

  deleteRevision(taskId: string, revision: number): Promise<boolean> {
    return this.#changes.deleteRevision({ taskId, revision }, false);
  }

  taskAliases(taskId: string): Promise<TaskAlias[]> {
    return this.#tasks.aliases(taskId);
  }

  async saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): Promise<void> {
    await this.#changes.saveAlias(taskId, name, alias);
    await this.#shared.settled();
  }

  tasks(tenant: string, afterName: string, limit: number, labels?: Labels): Promise<Task[]> {
    return this.#tasks.list(tenant, afterName, limit, labels);
  }

  taskTenants(): Promise<string[]> {
    return this.#tasks.tenants();
  }

  hasArtifact(tenant: string, sha256: string): Promise<boolean> {
    return this.#tasks.hasArtifact(tenant, sha256);
  }

  order(): Promise<StoredOrder> {
    return this.#changes.order();
  }

  saveOrder(changes: OrderChanges): Promise<number> {
    return this.#changes.saveOrder(changes);
  }

  storedBytes(tenant: string, afterId: string, limit: number): Promise<StoredBytes> {
    return this.#tasks.storedBytes(tenant, afterId, limit);
  }

  quotas(): Promise<StoredQuota[]> {
    return this.#changes.quotas();
  }

  async saveQuota(tenant: string, quota: Quota | undefined): Promise<void> {
    await this.#changes.saveQuota(tenant, quota);
    await this.#shared.settled();
  }

  saveRows(changes: readonly SideRowChange[]): Promise<void> {
    return this.#changes.saveRows(changes);
  }

  row(id: SideRowId): Promise<SideRow | undefined> {
    return this.#sideRows.one(id);
  }

  rows(query: SideRowQuery): Promise<SideRow[]> {
    return this.#sideRows.list(query);
  }

  dueRows(kind: string, until: number, limit: number, after?: DuePlace): Promise<SideRow[]> {
    return this.#sideRows.due(kind, until, limit, after);
  }

  countRows(kind: string, tenant?: string): Promise<number> {
    return this.#sideRows.count(kind, tenant);
  }

  close(): Promise<void> {
    return this.#close();
  }
}
