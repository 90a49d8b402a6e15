/**
 * The proto JSON that the page reads and writes, by hand: generated code would carry the whole proto runtime into the
 * browser. lowerCamelCase names, 64-bit numbers as decimal strings, enums by name, bytes as base64, timestamps as
 * RFC 3339, durations as `1.5s`. Fields without a `?` are always there; messages and `optional` fields may be absent.
 */

/** Any JSON value, as `google.protobuf.Value` and `Struct` are written. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export type StatusName =
  | 'EXECUTION_STATUS_UNSPECIFIED'
  | 'EXECUTION_STATUS_PENDING'
  | 'EXECUTION_STATUS_RUNNING'
  | 'EXECUTION_STATUS_COMPLETED'
  | 'EXECUTION_STATUS_FAILED'
  | 'EXECUTION_STATUS_CANCELLED'
  | 'EXECUTION_STATUS_TIMED_OUT';

export interface ResourceUseJson {
  readonly cpuTimeUs: string;
  readonly peakMemoryBytes: string;
  readonly droppedBytes: string;
}

export interface TerminationJson {
  readonly rung: string;
  readonly tookMs: string;
}

export interface ExecutionResultJson {
  readonly status: StatusName;
  readonly state: string;
  readonly mode: string;
  readonly isAsync: boolean;
  readonly isCompleted: boolean;
  readonly output: string;
  readonly contentType: string;
  readonly errorOutput: string;
  readonly outputBytes: string;
  readonly outputTruncated: boolean;
  readonly exitCode?: number;
  readonly errorCode: string;
  readonly errorOrigin: string;
  readonly errorMessage: string;
  readonly attempt: number;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly completedAt?: string;
  readonly queueTimeMs: string;
  readonly executionTimeMs: number;
  readonly requestId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly timestamp?: string;
  readonly allowedEvents: readonly string[];
  readonly resourceUse?: ResourceUseJson;
  readonly executionId: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly functionName: string;
  readonly instanceId: string;
  readonly termination?: TerminationJson;
  readonly loosened: readonly string[];
  readonly recoveries: number;
  readonly oldestSequence: string;
  readonly originExecutionId: string;
  readonly tenant: string;
  readonly priority: string;
  readonly fairnessKey: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface TransitionJson {
  readonly from: string;
  readonly to: string;
  readonly eventType: string;
  readonly reasonCode: string;
  readonly contextPatch: string;
  readonly chartVersion: number;
}

export interface ChunkJson {
  readonly stream: 'OUTPUT_STREAM_UNSPECIFIED' | 'OUTPUT_STREAM_STDOUT' | 'OUTPUT_STREAM_STDERR';
  readonly data: string;
}

export interface StreamExecutionResultJson {
  readonly executionId: string;
  readonly sequence: string;
  readonly position: string;
  readonly time?: string;
  readonly status: StatusName;
  readonly attempt: number;
  readonly isFinal: boolean;
  readonly principal?: string;
  readonly transition?: TransitionJson;
  readonly chunk?: ChunkJson;
  readonly result?: ExecutionResultJson;
  readonly refusal?: RefusalJson;
}

export interface RefusalJson {
  readonly host?: string;
  readonly port?: number;
  readonly address?: string;
  readonly rule?: string;
  /** A decimal number. */
  readonly more?: string;
}

export interface GetExecutionStatusResponseJson {
  readonly result?: ExecutionResultJson;
  readonly statusEndpoint: string;
  readonly estimatedCompletionMs: string;
  readonly lastSequence: string;
}

export interface ListExecutionsResponseJson {
  readonly executions: readonly ExecutionResultJson[];
  readonly nextPageToken: string;
}

export interface NodeViewJson {
  readonly nodeId: string;
  readonly version: string;
  readonly state: string;
  readonly startedAt?: string;
  readonly slots: number;
  readonly running: number;
  readonly pending: number;
  readonly queueLimit: number;
  readonly counts: readonly { readonly status: StatusName; readonly count: string }[];
  readonly supervisors: readonly {
    readonly name: string;
    readonly state: string;
    readonly children: string;
    readonly queueLength: string;
    readonly restarts: string;
  }[];
  readonly position: string;
  readonly storeFault: string;
  readonly time?: string;
  readonly grpcAddress: string;
  readonly hostAccess: boolean;
}

export interface WatchNodeResponseJson {
  readonly position: string;
  readonly executions: readonly ExecutionResultJson[];
  readonly node?: NodeViewJson;
  readonly reset: boolean;
  readonly deletedExecutionIds: readonly string[];
}

export interface MachineJson {
  readonly name: string;
  readonly version: number;
  readonly definition?: { readonly [name: string]: Json };
  readonly mermaid: string;
  readonly states: readonly {
    readonly path: string;
    readonly isFinal: boolean;
    readonly allowedEvents: readonly string[];
    readonly events: readonly string[];
  }[];
}

export interface ExplainExecutionResponseJson {
  readonly executionId: string;
  readonly status: StatusName;
  readonly state: string;
  readonly summary: string;
  readonly details: readonly string[];
  readonly queuePlace: string;
  readonly queueLength: string;
  readonly heldBy: readonly string[];
  readonly goesOnAt?: string;
  readonly endsAt?: string;
  readonly gate?: QueueGateJson;
}

export interface QueueGateJson {
  readonly kind: string;
  readonly key: string;
  readonly value: string;
  readonly limit: string;
  readonly per?: string;
  readonly burst: string;
  readonly since?: string;
  readonly opensAt?: string;
}

export interface QueueClassJson {
  readonly waiting: string;
  readonly nextExecutionId: string;
  readonly nextSince?: string;
  readonly gate?: QueueGateJson;
  readonly heldBy: readonly string[];
  readonly summary: string;
  readonly freedBy: string;
}

export interface QueueLineJson {
  readonly tenant: string;
  readonly priority: string;
  readonly fairnessKey: string;
  readonly running: number;
  readonly waiting: string;
  readonly held: string;
  readonly shareUsed: number;
  readonly shareDue: number;
  readonly nextExecutionId: string;
  readonly nextSince?: string;
  readonly classes: readonly QueueClassJson[];
  readonly otherClasses: string;
}

export interface GetQueueResponseJson {
  readonly slots: number;
  readonly running: number;
  readonly waiting: string;
  readonly held: string;
  readonly block: string;
  readonly lines: readonly QueueLineJson[];
  readonly otherLines: string;
  readonly otherWaiting: string;
}

export interface GetInvocationResponseJson {
  readonly functionName: string;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly input: string;
  readonly inputBytes: string;
  readonly contentType: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly forceNewInstance: boolean;
}

export interface BreakpointJson {
  readonly breakpointId: string;
  readonly task: string;
  readonly executionId: string;
  readonly before: string;
  readonly once: boolean;
  readonly createdAt?: string;
  readonly hits: string;
}

export interface FunctionSignatureJson {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
  readonly result: string;
  readonly callable: boolean;
  readonly reason: string;
}

export interface TaskJson {
  readonly taskId: string;
  readonly tenant: string;
  readonly revision: number;
  readonly definition?: {
    readonly name: string;
    readonly runtime: string;
    readonly description: string;
    /** The rest is shown as it is and never interpreted. */
    readonly [name: string]: Json | undefined;
  };
  readonly functions: readonly FunctionSignatureJson[];
  readonly createdAt?: string;
  readonly updatedAt?: string;
  readonly wit: string;
  readonly loosened: readonly string[];
}

export interface InstanceJson {
  readonly instanceId: string;
  readonly runtime: string;
  readonly state: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly executionId: string;
  readonly attempt: number;
  readonly uses: string;
  readonly startedAhead: boolean;
  readonly reason: string;
  readonly createdAt?: string;
  readonly stateSince?: string;
}

export interface InstancePoolJson {
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly runtime: string;
  readonly policy?: { readonly min?: number; readonly max?: number; readonly startAhead: boolean };
  readonly starting: number;
  readonly idle: number;
  readonly busy: number;
  readonly stopping: number;
  readonly broken: number;
  readonly warmHits: string;
  readonly coldStarts: string;
  readonly spoiled: string;
}

/** What `/api/events` sends as `log`. */
export interface LogMessageJson {
  readonly events: readonly StreamExecutionResultJson[];
}

/** What `/api` answers with where it refuses, and what `/api/events` sends as `fault`. */
export interface FaultJson {
  readonly error: { readonly reason: string; readonly message: string };
}
