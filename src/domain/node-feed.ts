import type { NewEvent } from './event.ts';
import type { ExecutionRecord, ExecutionStatus } from './execution.ts';
import type { Resources } from './scheduling/gate.ts';
import type { Scope } from './scope.ts';

/** How many there are of each status. */
export type StatusCounts = Readonly<Record<ExecutionStatus, number>>;

/** An actor that owns others. */
export interface SupervisorView {
  readonly name: 'executions' | 'instances' | 'tasks';
  readonly state: string;
  readonly children: number;
  /** Executions that wait for a slot. */
  readonly queueLength: number;
  /** Children that were taken up again after a restart of the node, or started in place of one that ended. */
  readonly restarts: number;
}

/** What attempts that run reserve, and what there is; infinity is any amount. */
export interface ResourcesView {
  readonly reserved: Resources;
  readonly total: Resources;
}

/** A node as it is now. */
export interface NodeStatus {
  readonly nodeId: string;
  readonly version: string;
  /** The node chart's state. */
  readonly state: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly startedAt: number;
  readonly slots: number;
  readonly running: number;
  readonly pending: number;
  readonly queueLimit: number;
  /** Of all that the store has of the scope; so are `running`, `pending` and what supervisors have. */
  readonly counts: StatusCounts;
  readonly supervisors: readonly SupervisorView[];
  /** The last one that is committed; 0 before the first. */
  readonly position: number;
  /** Why the store takes nothing; empty where it does. */
  readonly storeFault: string;
  /** HOST:PORT where gRPC listens. */
  readonly grpcAddress: string;
  /** Process tasks and folders of the host may be registered. */
  readonly hostAccess: boolean;
  /** Where people look at a trace, with `{trace_id}`; empty for nowhere. */
  readonly traceUrl: string;
  /** Of what is in scope; absent where nobody counts it. */
  readonly resources?: ResourcesView;
  readonly time: number;
}

/** What has happened on a node. */
export interface NodeNews {
  /** Everything up to here has been told. */
  readonly position: number;
  /** Those that changed, each once, as they are now. */
  readonly executions: readonly ExecutionRecord[];
  /** Ids of those that the node has no more; none of them is among `executions`. */
  readonly deleted: readonly string[];
  /** About once a second, and first. */
  readonly node?: NodeStatus;
  /** Too much has happened to tell it: who keeps a list reads it anew. */
  readonly reset: boolean;
}

/** One who follows a node. */
export interface NodeWatch {
  /**
   * What has happened since the last call, as soon as something has; undefined once closed. One call at a time.
   * Rejects with unavailable when the node goes away.
   */
  next(): Promise<NodeNews | undefined>;
  close(): void;
}

/** What a node tells of itself, to those with a scope what is in it. */
export interface NodeFeed {
  status(scope: Scope): Promise<NodeStatus>;
  /**
   * Follows the node from after a position; 0 means from now on. `principal` is the name of who follows. Throws
   * resource_exhausted where too many do, of all or of that one.
   */
  watch(position: number, principal: string, scope: Scope): NodeWatch;
}

/** One that is there no more. Where its record was damaged nobody knows whose it was, nor of which task. */
export interface DeletedExecution {
  readonly executionId: string;
  readonly tenant?: string;
  readonly taskName?: string;
}

/** Hears what a store does, once it is durable. */
export interface StoreObserver {
  /**
   * Of one execution at once: its record, and the events that are new in its log, of which there may be none. The first
   * has `position`, each other the next.
   */
  committed?(record: ExecutionRecord, events: readonly NewEvent[], position: number): void;
  deleted?(executions: readonly DeletedExecution[]): void;
  /** Members of a batch may be written from now on. They are committed when all are, and before `batchWritten`. */
  batchBegun?(batchId: string): void;
  /** All of them are there, or none. */
  batchWritten?(batchId: string): void;
  /** Their logs have gone but for their results. */
  shortened?(executionIds: readonly string[]): void;
}
