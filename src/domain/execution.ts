import type { BreakpointState } from './breakpoint.ts';
import type { CacheUse } from './cache.ts';
import type { Dependency } from './dependency.ts';
import type { ErrorCode } from './errors.ts';
import type { Labels } from './labels.ts';
import type { Priority } from './scheduling/priority.ts';
import type { ExecutionGate, Reserved } from './scheduling/task-gates.ts';
import type { ExecutionTrace } from './trace.ts';
import type { EndWebhook } from './webhook.ts';

/** How the creating call watches its execution. */
export type ExecutionMode = 'sync' | 'async' | 'stream';

export type ExecutionStatus = 'pending' | 'running' | 'completed' | 'failed' | 'cancelled' | 'timedOut';

export const executionStatuses: readonly ExecutionStatus[] = [
  'pending',
  'running',
  'completed',
  'failed',
  'cancelled',
  'timedOut',
];

export function isTerminal(status: ExecutionStatus): boolean {
  return status !== 'pending' && status !== 'running';
}

/** The chart's events that a caller may send in a state. */
export function callerEvents({
  status,
  state,
}: Pick<ExecutionRecord, 'status' | 'state'>): readonly string[] {
  if (isTerminal(status)) return [];
  switch (state) {
    case 'pending.held':
    case 'running.suspended':
      return ['cancel', 'resume'];
    case 'running.stopping':
      return ['cancel'];
    default:
      return ['cancel', 'suspend'];
  }
}

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

/** What an accepted request asked to run; written once, with the admission. */
export interface Invocation {
  /** The export as written in WIT; empty for the default entry. */
  readonly functionName: string;
  /** By WIT parameter name; checked against the task's types before admission. */
  readonly parameters: Readonly<Record<string, JsonValue>>;
  /** Standard input. */
  readonly input: Uint8Array;
  readonly contentType: string;
  /** After the task's own. */
  readonly args: readonly string[];
  /** Over the task's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly forceNewInstance: boolean;
}

/** What an attempt used, as far as its runtime can tell. Absent means not known. */
export interface ResourceUse {
  readonly cpuTimeUs?: number;
  readonly peakMemoryBytes?: number;
}

/** How an attempt that was asked to stop came to its end. */
export interface Termination {
  /** The rung of the runtime's ladder that worked, such as `cooperative` or `terminate`. */
  readonly rung: string;
  readonly tookMs: number;
}

/** The end of an execution. `output` is a typed function's value as JSON text; a command's output is in the log. */
export type Outcome =
  | { readonly status: 'completed'; readonly exitCode?: number; readonly output?: string }
  | {
      readonly status: 'failed' | 'timedOut' | 'cancelled';
      readonly code: ErrorCode;
      readonly message: string;
      readonly exitCode?: number;
      readonly output?: string;
      readonly termination?: Termination;
    };

/**
 * Wall-clock instants in milliseconds since the epoch, fixed at admission (invariant I7).
 * `queue` is a duration because its count starts when the execution enters the queue.
 */
export interface Deadlines {
  readonly startAt?: number;
  readonly total: number;
  readonly queueMs?: number;
  readonly attemptMs?: number;
}

/** Where an execution comes from that was made to run another again. */
export interface Rerun {
  readonly of: string;
  /** Names the run that has made it. */
  readonly id: string;
}

/** Which member of a batch an execution is. */
export interface BatchMembership {
  readonly batchId: string;
  /** From 0, in the order of the request. */
  readonly member: number;
  /** Absent for one that was given none. */
  readonly name?: string;
  /** The member may begin again, so that its end is not yet that of the member. */
  readonly supervised?: boolean;
}

/** The durable record of an execution: what a status call tells, without output. */
export interface ExecutionRecord {
  readonly executionId: string;
  /** Absent means the default one. */
  readonly tenant?: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly functionName: string;
  readonly mode: ExecutionMode;
  /** The client's idempotency key; empty where it gave none. */
  readonly invocationId: string;
  /** Hex digest of the payload, kept where there is an invocation id. */
  readonly payloadDigest: string;
  readonly requestId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly cancelOnDisconnect: boolean;
  readonly deadlines: Deadlines;
  readonly status: ExecutionStatus;
  /** Path in the chart, such as `running.backingOff`. */
  readonly state: string;
  /** 0 before the first. */
  readonly attempt: number;
  readonly instanceId: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  readonly startedAt?: number;
  readonly completedAt?: number;
  /** Monotonic milliseconds. */
  readonly queueTimeMs: number;
  readonly executionTimeMs: number;
  readonly lastSequence: number;
  /** The sequence number after which the last attempt's output begins. */
  readonly attemptSequence: number;
  readonly outputBytes: number;
  readonly outputEvents: number;
  readonly droppedBytes: number;
  readonly resourceUse: ResourceUse;
  /** What its task allows beyond the safest settings, for people; absent means nothing. */
  readonly loosened?: readonly string[];
  /** Attempts that were lost to crashes of the node; absent means none. */
  readonly recoveries?: number;
  /** The attempt that has had all of its input: only such a one may be followed again after a crash. */
  readonly inputDelivered?: number;
  /** The first event that the log still has; absent means 1. */
  readonly oldestSequence?: number;
  /** The execution that this one was restored from as a new one, or began again for as a member of a batch. */
  readonly originId?: string;
  /** When one that had ended was restored here, as a record: it is kept from then on. */
  readonly restoredAt?: number;
  /** The alias that its revision was chosen by; absent where it was chosen by none. */
  readonly alias?: string;
  /** The execution that this one is made of to be run again; absent for any other. */
  readonly rerun?: Rerun;
  /** The task's with the invocation's over them, as they were at admission; absent means none. */
  readonly labels?: Labels;
  /** Absent means normal. */
  readonly priority?: Priority;
  /** Absent means none. */
  readonly fairnessKey?: string;
  /** Its task's limits by keys, with its values, as they were at admission; absent means none. */
  readonly gates?: readonly ExecutionGate[];
  /** What its attempts reserve; absent where nothing counted it at admission. */
  readonly reserves?: Reserved;
  /** Which nodes of a cluster may run it, as `placementKey` says it; absent means all. */
  readonly placement?: string;
  /** A breakpoint has held it before that state, and lets it through once; empty when it has. */
  readonly passes?: BreakpointState | '';
  /** The trace that it belongs to; absent means none. */
  readonly trace?: ExecutionTrace;
  /** The name of the schedule that has fired it; absent for any other. */
  readonly schedule?: string;
  /** What it follows; absent means nothing. */
  readonly dependsOn?: readonly Dependency[];
  /** It waits for one of them yet. */
  readonly blocked?: boolean;
  /** The batch that it is of; absent means none. */
  readonly batch?: BatchMembership;
  /** What the cache of its task had to do with it; absent where that has none. */
  readonly cache?: CacheUse;
  /** Who is told of its end, its task's webhooks first; absent means nobody. */
  readonly onEnd?: readonly EndWebhook[];
  /** So many of these, the last ones, its request has named; absent means none, or that it is older than this. */
  readonly ownWebhooks?: number;
  readonly outcome?: Outcome;
}

/** Since when an execution that has ended is kept here. */
export function keptSince({ createdAt, completedAt = createdAt, restoredAt = 0 }: ExecutionRecord): number {
  return Math.max(completedAt, restoredAt);
}
