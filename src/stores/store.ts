import type { LogEvent, NewEvent } from '../domain/event.ts';
import type { ExecutionRecord, ExecutionStatus, Invocation } from '../domain/execution.ts';
import type { Task } from '../domain/task.ts';

/** What happened to one execution since its last commit. */
export interface CommitEntry {
  readonly executionId: string;
  /** The log's last sequence number before these events; 0 creates the execution, which takes at least one event. */
  readonly expectedLastSequence: number;
  readonly events: readonly NewEvent[];
  readonly record?: ExecutionRecord;
  /** The persisted actor, as JSON text. */
  readonly snapshot?: string;
  /** Makes this execution the owner of an idempotency key. */
  readonly claimInvocationId?: string;
  /** Written once, with the admission. */
  readonly input?: Invocation;
}

export type CommitResult =
  /** `position` is the first event's; event i of the entry has `position + i`. */
  | { readonly ok: true; readonly position: number }
  /** The log is not where the writer thought; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'sequence'; readonly lastSequence: number }
  /** Another execution owns the key; nothing of the entry was written. */
  | { readonly ok: false; readonly conflict: 'invocation'; readonly executionId: string };

export interface ExecutionFilter {
  readonly taskId?: string;
  /** Empty means all. */
  readonly statuses: readonly ExecutionStatus[];
  /** Milliseconds since the epoch: `createdAfter <= created_at < createdBefore`. */
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  /** Only ids that sort before this one. */
  readonly beforeId?: string;
  readonly limit: number;
}

/** What a read of a log returns: whole events in order, cut at `maxBytes` of chunk data but never empty if there is one. */
export interface EventQuery {
  readonly from: number;
  readonly maxBytes: number;
}

/** A committed event with the execution that it belongs to. */
export type NodeEvent = LogEvent & { readonly executionId: string };

/**
 * Where everything durable lives. Writes are durable when their promise resolves. A store that cannot write
 * or read rejects with StoreError; it stays usable and recovers when its medium does.
 */
export interface Store {
  /** One transaction over all entries; each entry is atomic by itself and has its own result, in order. */
  commit(entries: readonly CommitEntry[]): Promise<CommitResult[]>;

  execution(executionId: string): Promise<ExecutionRecord | undefined>;
  executionByInvocation(invocationId: string): Promise<ExecutionRecord | undefined>;
  input(executionId: string): Promise<Invocation | undefined>;
  snapshot(executionId: string): Promise<string | undefined>;
  /** Newest first. */
  executions(filter: ExecutionFilter): Promise<ExecutionRecord[]>;
  /** Oldest first, in pages: ids after `afterId`. */
  unfinished(afterId: string, limit: number): Promise<ExecutionRecord[]>;
  events(executionId: string, query: EventQuery): Promise<LogEvent[]>;
  /** Committed events of every execution with `position >= from`, in order of position. */
  eventsFromPosition(from: number, limit: number): Promise<NodeEvent[]>;

  /** Writes a task; its name goes to it, whoever had it. */
  saveTask(task: Task): Promise<void>;
  /** Frees the name; the task and its revisions stay readable by id and revision for the executions that use it. */
  deleteTask(taskId: string): Promise<void>;
  /** The newest revision of a task that is not deleted. */
  taskByName(name: string): Promise<Task | undefined>;
  taskById(taskId: string): Promise<Task | undefined>;
  taskRevision(taskId: string, revision: number): Promise<Task | undefined>;
  /** By name; names after `afterName`. */
  tasks(afterName: string, limit: number): Promise<Task[]>;

  close(): Promise<void>;
}

/** The store's medium failed: disk full, read-only, corrupted. Nothing of the failed call was written. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
}
