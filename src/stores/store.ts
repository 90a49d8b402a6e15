import type { Batch, BatchEnding, BatchMember, BatchState, MemberQuery } from '../domain/batch/batch.ts';
import type { SupervisedEnd } from '../domain/batch/supervision.ts';
import type { BlockedState } from '../domain/dependency.ts';
import type { LogEvent, NewEvent, OutputStream } from '../domain/event.ts';
import type { ExecutionRecord, ExecutionStatus, Invocation } from '../domain/execution.ts';
import type { Labels } from '../domain/labels.ts';
import type { DeletedExecution, StatusCounts } from '../domain/node-feed.ts';
import type { Quota } from '../domain/quota.ts';
import type { TaskAlias } from '../domain/revisions/alias.ts';
import type { MeterUse, NodeChanges, NodeUse } from '../domain/scheduling/order-use.ts';
import type { Scope } from '../domain/scope.ts';
import type { DuePlace, SideRow, SideRowChange, SideRowId, SideRowQuery } from '../domain/side-row.ts';
import type { Task } from '../domain/task.ts';

export { ChangedMeanwhile, DamagedError, Fenced, InDoubtError, StoreError } from '../domain/store-error.ts';

/** What happened to one execution since its last commit. */
export interface CommitEntry {
  readonly executionId: string;
  /** The log's last sequence number before these events; 0 creates the execution, which takes at least one event. */
  readonly expectedLastSequence: number;
  readonly events: readonly NewEvent[];
  readonly record?: ExecutionRecord;
  /** Makes this execution the owner of an idempotency key of its tenant, which the record names. */
  readonly claimInvocationId?: string;
  /** Written once, with the admission. */
  readonly input?: Invocation;
  /**
   * The place in a waiting line, with every record of one that has one and has not ended. A commit of a record without
   * a place takes the execution out of its line.
   */
  readonly waiting?: WaitingPlace;
  /** Buckets of rates as they are with this commit; of several that name one, the one that is full last stays. */
  readonly meters?: readonly MeterUse[];
  /** Of a member of a batch, with its admission: its place in the graph. */
  readonly member?: { readonly layer: number; readonly follows: readonly number[] };
  /** Rows of whoever made the execution; written where, and only where, the entry is. */
  readonly rows?: readonly SideRowChange[];
}

/** What the order of runs remembers. Instants of buckets are milliseconds since the epoch, as deadlines count. */
export interface StoredOrder {
  readonly nodes: readonly NodeUse[];
  readonly meters: readonly MeterUse[];
  /** Buckets that are not among them were empty then; absent where they are full. */
  readonly emptyAt?: number;
  /** False where buckets may be missing: some are damaged, or a program wrote this that did not keep them. */
  readonly isWhole: boolean;
}

export interface OrderChanges extends Partial<NodeChanges> {
  /** Buckets that are not kept were empty then. */
  readonly emptyAt?: number;
  /** Buckets that are full by then are forgotten, at most a thousand at a time. */
  readonly fullBefore?: number;
}

/** The place of an execution that waits, for a slot or for something else. */
export interface WaitingPlace {
  /** Whom it waits among: any text but the empty one, which the store only compares. */
  readonly line: string;
  /** First come, first served, and then by id: when it came, in milliseconds since the epoch. */
  readonly since: number;
  /** When the alarm of the execution rings, in milliseconds since the epoch; infinity where it has none. */
  readonly wakesAt: number;
}

/** The sort key of a waiting line: `since`, then the id. */
export interface WaitingKey {
  readonly since: number;
  readonly executionId: string;
}

/** An execution that waits in a line, as the store has it. */
export interface WaitingExecution {
  readonly record: ExecutionRecord;
  readonly place: WaitingPlace;
}

/** The length of a line. */
export interface WaitingLineCount {
  readonly line: string;
  readonly count: number;
}

/** The alarm of one that waits. */
export interface WaitingAlarm {
  readonly executionId: string;
  readonly wakesAt: number;
}

/** A log without its output: what an execution's machine is made again from. */
export interface LogOutline {
  /** In order. */
  readonly transitions: readonly LoggedTransition[];
  /** What the function was not let do, in order. */
  readonly refusals: readonly LoggedRefusal[];
  /** The time of the last event, in milliseconds since the epoch; 0 for a log without events. */
  readonly lastTime: number;
  /** Bytes of each stream since the transition that began the last attempt. */
  readonly output: Readonly<Record<OutputStream, number>>;
}

export type LoggedTransition = Extract<LogEvent, { kind: 'transition' }>;
export type LoggedRefusal = Extract<LogEvent, { kind: 'refusal' }>;

/** Which finished executions are kept, and how long unused files are. */
export interface Retention {
  /**
   * Executions that ended, or were restored as records, before this instant are deleted. Milliseconds since the
   * epoch.
   */
  readonly endedBefore: number;
  /** Bytes of the store that are in use; beyond it logs, and then records, of the oldest finished ones go. */
  readonly maxBytes: number;
  /** In milliseconds since the epoch; a clock that nobody sets. */
  readonly now: number;
  /**
   * Files and revisions of tasks are deleted when nothing has referred to them for this long, in milliseconds.
   */
  readonly unusedForMs: number;
  /** Files whose own time, a wall clock's, is earlier are that old; by default `unusedForMs` before `now`. */
  readonly writtenBefore?: number;
}

export interface Retained {
  readonly deletedExecutions: readonly DeletedExecution[];
  readonly deletedLogs: number;
  /** Those of which logs went, or began to go. */
  readonly shortened?: readonly string[];
  /** There is more to do now. */
  readonly more: boolean;
}

export type CommitResult =
  /** `position` is the first event's; event i of the entry has `position + i`. */
  | { readonly ok: true; readonly position: number }
  /** The log is not where the writer thought; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'sequence'; readonly lastSequence: number }
  /** Another node has the execution now; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'owner' }
  /** Its input would take room that is kept for what was accepted; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'space' }
  /** It follows an execution that is not there; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'dependency'; readonly executionId: string }
  /** Another execution owns the key; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'invocation'; readonly executionId: string };

/** Why a batch was not accepted; nothing of it was written. */
export type BatchResult =
  | { readonly ok: true; readonly positions: readonly number[] }
  | { readonly ok: false; readonly conflict: 'batch'; readonly batchId: string }
  | { readonly ok: false; readonly conflict: 'dependency'; readonly executionId: string }
  | { readonly ok: false; readonly conflict: 'space' };

/** `changed`: what is said of the batch is not as it was read; nothing was done. */
export type SuperviseResult =
  | { readonly ok: true; readonly positions: readonly number[] }
  | { readonly ok: false; readonly conflict: 'changed' }
  | { readonly ok: false; readonly conflict: 'space' };

/** A member of a supervised batch that does not begin again. */
export interface MemberEnding {
  readonly member: number;
  readonly end: SupervisedEnd;
}

export interface ExecutionFilter {
  /** Absent means all of them. */
  readonly tenant?: string;
  readonly taskId?: string;
  /** Members of a batch. */
  readonly batchId?: string;
  /** Empty means all. */
  readonly statuses: readonly ExecutionStatus[];
  /** Milliseconds since the epoch: `createdAfter <= created_at < createdBefore`. */
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  /** Only ids that sort before this one. */
  readonly beforeId?: string;
  /** Only executions that have all of these labels. */
  readonly labels?: Labels;
  /** Only what the schedule of this name has fired. */
  readonly schedule?: string;
  readonly limit: number;
}

/**
 * A read of a log. It returns whole events in order, up to `maxBytes` of chunk data, and at least one if there
 * is one.
 */
export interface EventQuery {
  readonly from: number;
  readonly maxBytes: number;
}

export interface StoredQuota {
  readonly tenant: string;
  readonly quota: Quota;
}

export interface StoredBytes {
  readonly bytes: number;
  /** The last that was looked at; undefined where there is none behind it. */
  readonly last: string | undefined;
}

/** Counts of what a store has. */
export interface StoreCounts {
  readonly executions: StatusCounts;
  /** Tasks that have a name; a deleted one has lost it. */
  readonly tasks: number;
}

/** A committed event with the execution that it belongs to. */
export type NodeEvent = LogEvent & { readonly executionId: string };

/** Records and inputs of executions. */
export interface KeptExecutions {
  execution(executionId: string): Promise<ExecutionRecord | undefined>;
  executionByInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined>;
  input(executionId: string): Promise<Invocation | undefined>;
  /** Newest first. */
  executions(filter: ExecutionFilter): Promise<ExecutionRecord[]>;
  /**
   * Unfinished executions that wait in no line, oldest first: at most `limit` of those with ids after `afterId`.
   */
  unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]>;
  /** Counts what is in `scope`; without one, everything. */
  counts(scope?: Scope): Promise<StoreCounts>;
  /**
   * About how many bytes a tenant keeps: records, output and inputs of at most `limit` of its executions with ids after
   * `afterId`, and its artifacts where that is empty.
   */
  storedBytes(tenant: string, afterId: string, limit: number): Promise<StoredBytes>;
}

/** What waits: in lines, for a time, and for others. */
export interface KeptLines {
  /** The lines in which somebody waits. */
  waitingLines(): Promise<WaitingLineCount[]>;
  /**
   * The executions of a line in its order: at most `limit` of those behind `after`. Empty only where none is
   * left.
   */
  waiting(line: string, after: WaitingKey | undefined, limit: number): Promise<WaitingExecution[]>;
  /** How many executions of a line are between two places. It counts no further than `limit`. */
  waitingBetween(line: string, after: WaitingKey, before: WaitingKey, limit: number): Promise<number>;
  /** The execution with its place in a line; undefined where it waits in none. */
  waitingExecution(executionId: string): Promise<WaitingExecution | undefined>;
  /** Alarms of executions that wait in lines, the earliest first: at most `limit` of those behind `after`. */
  waking(after: WaitingAlarm | undefined, limit: number): Promise<WaitingAlarm[]>;
  /** Whether an execution that has not ended follows another. */
  hasDependencies(): Promise<boolean>;
  /** What one whose record says that it is blocked waits for yet; undefined for any other. */
  blocked(executionId: string): Promise<BlockedState | undefined>;
  /** Those of them that wait for nothing any more, by id: at most `limit` of those with ids after `afterId`. */
  released(afterId: string, limit: number): Promise<string[]>;
  /** Those that follow an execution, ended ones among them, by id: at most `limit` of those with ids after `afterId`. */
  dependants(executionId: string, afterId: string, limit: number): Promise<string[]>;
}

/** The logs of executions, and the order of commits over all of them. */
export interface KeptLogs {
  events(executionId: string, query: EventQuery): Promise<LogEvent[]>;
  outline(executionId: string): Promise<LogOutline>;
  /** Committed events of every execution with `position >= from`, in order of position. */
  eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]>;
  /**
   * The executions that have an event with `position >= from`, each once; undefined where more than `limit` parts of
   * logs would have to be looked at. A part is at least one event.
   */
  changedSince(from: number, limit: number): Promise<string[] | undefined>;
  /** The position of the last event of any log, also of one that was deleted since; 0 before the first. */
  lastPosition(): Promise<number>;
  /**
   * Writes a part of a log that comes from elsewhere and has no record yet; the `commit` that follows the last part
   * brings the record, and only then anyone sees the execution. Rejects with StoreError where there is a record, and
   * where there is hardly any space.
   * What is staged and not committed is gone when the store is opened again, by that node or by another.
   */
  stage(executionId: string, events: readonly NewEvent[]): Promise<void>;
  /** Drops what was staged. */
  unstage(executionId: string): Promise<void>;
}

/** Batches, and which executions are their members. */
export interface KeptBatches {
  /**
   * Makes a batch and all of its members, or nothing: each entry creates one, which its record says, and stands behind
   * those that it follows. A large one is written in parts, between which others commit, and is there for readers, as
   * for the next run of the node, with the last of them. `positions` are those of the first event of each.
   */
  admitBatch(batch: Batch, entries: readonly CommitEntry[]): Promise<BatchResult>;
  /** Writes what is said of a batch anew; its members stay. */
  saveBatch(batch: Batch): Promise<void>;
  /**
   * In one transaction: writes what is said of a supervised batch anew where it is as it was `before`, gives members the
   * executions that the entries create, and counts the ends of others. A member's end counts once. Ends of executions
   * whose record says `supervised` count only here.
   */
  superviseBatch(
    before: Batch,
    batch: Batch,
    entries: readonly CommitEntry[],
    endings: readonly MemberEnding[],
  ): Promise<SuperviseResult>;
  batch(batchId: string): Promise<BatchState | undefined>;
  batchByInvocation(tenant: string, invocationId: string): Promise<BatchState | undefined>;
  /** Newest first, those with ids before `beforeId`, where that is not empty; of all tenants where none is named. */
  batches(tenant: string | undefined, beforeId: string, limit: number): Promise<BatchState[]>;
  /** Those of which a member has not ended. */
  unfinishedBatches(): Promise<BatchState[]>;
  /** In their order. */
  batchMembers(batchId: string, query: MemberQuery): Promise<BatchMember[]>;
  /** Members that have ended, in the order in which they did: at most `limit` from that number on. */
  batchEndings(batchId: string, from: number, limit: number): Promise<BatchEnding[]>;
}

/** Tasks with their revisions and aliases. */
export interface KeptTasks {
  /**
   * Writes a task; its name goes to it, whoever of its tenant had it. With `before`, only if its name has that, or nobody
   * where it is null: rejects with ChangedMeanwhile where another node was first.
   */
  saveTask(task: Task, before?: Pick<Task, 'taskId' | 'revision'> | null): Promise<void>;
  /** Writes a revision that is no name's, for the executions that use it. */
  saveRevision(task: Task): Promise<void>;
  /**
   * Frees the name, and forgets the aliases; the task and its revisions stay readable by id and revision for the
   * executions that use it.
   */
  deleteTask(taskId: string): Promise<void>;
  /** The newest revision of a task that is not deleted. */
  taskByName(tenant: string, name: string): Promise<Task | undefined>;
  taskById(taskId: string): Promise<Task | undefined>;
  taskRevision(taskId: string, revision: number): Promise<Task | undefined>;
  /** The revisions that are kept, the newest first: at most `limit` of those before `before`. */
  taskRevisions(taskId: string, before: number, limit: number): Promise<Task[]>;
  /** Forgets a revision; false where there is none, an execution has it, or it is the newest of its task. */
  deleteRevision(taskId: string, revision: number): Promise<boolean>;
  /** By name. */
  taskAliases(taskId: string): Promise<TaskAlias[]>;
  /** Writes an alias of a task; undefined removes it. */
  saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): Promise<void>;
  /**
   * The tasks of a tenant in the order of their names: at most `limit` of those with names after `afterName`.
   */
  tasks(tenant: string, afterName: string, limit: number, labels?: Labels): Promise<Task[]>;
  /** The tenants that have a task with a name. */
  taskTenants(): Promise<string[]>;
  /** Whether a revision of any task of the tenant runs the WebAssembly artifact of that digest. */
  hasArtifact(tenant: string, sha256: string): Promise<boolean>;
}

/** Who has used how much, and who may use how much. */
export interface KeptShares {
  /** What the order of runs remembers, but for what is damaged. */
  order(): Promise<StoredOrder>;
  /** Forgets first, and then writes. Resolves with how many buckets were forgotten. */
  saveOrder(changes: OrderChanges): Promise<number>;
  /** All quotas, in the order of their tenants. */
  quotas(): Promise<StoredQuota[]>;
  /** Writes the quota of a tenant; undefined removes it. */
  saveQuota(tenant: string, quota: Quota | undefined): Promise<void>;
}

/** Rows beside the executions: schedules, webhooks and whatever else has a kind. */
export interface KeptRows {
  /** Writes rows beside the executions: all of them or, where it rejects, none. */
  saveRows(changes: readonly SideRowChange[]): Promise<void>;
  row(id: SideRowId): Promise<SideRow | undefined>;
  rows(query: SideRowQuery): Promise<SideRow[]>;
  /** Rows of a kind with `dueAt <= until`, the earliest first: at most `limit` of those behind `after`. */
  dueRows(kind: string, until: number, limit: number, after?: DuePlace): Promise<SideRow[]>;
  countRows(kind: string, tenant?: string): Promise<number>;
}

/**
 * Where everything durable lives. Writes are durable when their promise resolves. A store that cannot write
 * or read rejects with StoreError; it stays usable and recovers when its medium does. Where only what is asked for is
 * damaged, it rejects with DamagedError; lists leave that out.
 */
export interface Store
  extends KeptExecutions,
    KeptLines,
    KeptLogs,
    KeptBatches,
    KeptTasks,
    KeptShares,
    KeptRows {
  /** There is hardly any space left: what was accepted may end, and nothing new should begin. */
  readonly lowSpace: boolean;

  /**
   * One transaction over all entries; each entry is atomic by itself and has its own result, in order. Without entries
   * it asks the medium whether it can be written: it rejects where it cannot. Rejects with InDoubtError where the answer
   * was lost: the very same array is then answered as it would have been. Rejects with Fenced where other nodes have
   * taken over.
   */
  commit(entries: readonly CommitEntry[]): Promise<CommitResult[]>;

  /**
   * Deletes a finished execution, its log, its input and its claim; false where there is no finished one, or one that
   * has not ended follows it.
   */
  delete(executionId: string): Promise<boolean>;

  /**
   * One bounded step of deleting what is not kept, oldest first, but for what one that has not ended follows. A log goes whole, but for its result, and its record
   * then says which sequence number is the oldest.
   */
  retain(retention: Retention): Promise<Retained>;

  close(): Promise<void>;
}
