import type { ErrorCode } from './errors.ts';
import type { Labels } from './labels.ts';
import type { RunsOn } from './placement.ts';
import type { Priority } from './scheduling/priority.ts';
import type { EndWebhook } from './webhook.ts';

export type RuntimeKind = 'wasm' | 'docker' | 'process';

/** Durations in milliseconds; absent means none, but for `total`, which the node gives a default. */
export interface Timeouts {
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly totalMs?: number;
}

/** What one execution may use. Absent means that nothing holds it to one. */
export interface Limits {
  /** Bytes of one instance's memory, swap included: linear memories and tables for WebAssembly. */
  readonly memory?: number;
  /** Processor cores; 0.5 is half of one. */
  readonly cpu?: number;
  /** Of one attempt, in milliseconds. */
  readonly cpuTimeMs?: number;
  /** Processes and threads at once. */
  readonly processes?: number;
  /** Of each process. */
  readonly openFiles?: number;
  /** Bytes of the largest file that can be written. */
  readonly fileSize?: number;
  /** stdout and stderr of a whole execution, in bytes. */
  readonly maxOutputBytes: number;
  /** Chunks in the log of a whole execution. */
  readonly maxOutputEvents: number;
}

/** The limits that a runtime holds its guests to, or cannot; output is the log's own. */
export type LimitName = Exclude<keyof Limits, 'maxOutputBytes' | 'maxOutputEvents'>;

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** The share of each delay that is random, 0 to 1. */
  readonly jitter: number;
  /** Empty means the codes that are retryable by default. */
  readonly on: readonly ErrorCode[];
  /** Of all first attempts of the task, the share that may be tried again; absent means that it is not bounded. */
  readonly budget?: number;
  /** What becomes of one that would be tried again beyond it; absent means that it fails. */
  readonly onExhausted?: RetryExhausted;
}

export type RetryExhausted = 'fail' | 'hold';

/** Immutable code. A wasm artifact's bytes are in the artifact folder under its digest. */
export type Artifact =
  | { readonly kind: 'wasm'; readonly sha256: string; readonly sizeBytes: number; readonly url?: string }
  | { readonly kind: 'process'; readonly path: string; readonly sha256: string }
  /** `imageId` is hex, without `sha256:`. */
  | { readonly kind: 'docker'; readonly image: string; readonly imageId: string };

export type InstancePolicy = 'fresh' | 'reused';

export type PullPolicy = 'missing' | 'always' | 'never';

/** How the container of a docker task differs from the safest one. */
export interface ContainerSettings {
  /** Instead of the image's own entrypoint and command; empty keeps them. */
  readonly command: readonly string[];
  readonly pull: PullPolicy;
  /** Of those that the engine has; only used where the task allows the network. */
  readonly network: string;
  readonly writableRoot: boolean;
  readonly capabilities: readonly string[];
  /** Bytes of the writable /tmp. */
  readonly tmpfsSize: number;
  readonly allowNewPrivileges: boolean;
}

/** Instances that are ready before they are needed. */
export interface WarmPolicy {
  readonly min: number;
  readonly max: number;
  readonly idleTimeoutMs: number;
  /** Executions that one instance may run; absent means no limit. */
  readonly maxUses?: number;
  /** Docker and process: start the program before anyone invokes it. */
  readonly startAhead: boolean;
}

/** What happens to an execution whose attempt was lost. */
export type InterruptPolicy = 'rerun' | 'fail' | 'reattachOrRerun' | 'reattachOrFail';

/** What a timer does about the time between a snapshot and its restore, or a suspend and its resume. */
export type TimerPolicy = 'absolute' | 'remaining' | 'anew';

export type TimerName = 'start' | 'queue' | 'attempt' | 'total';

export type TimerPolicies = Readonly<Record<TimerName, TimerPolicy>>;

/** What happens to an execution of a task while so many as are allowed run with its value of a key. */
export type WhenFull = 'queue' | 'refuse' | 'replacePending' | 'cancelRunning';

/** So many attempts at a time with one value of a key. */
export interface ConcurrencyLimit {
  /** `task`, `tenant`, `metadata.NAME`, `parameters.NAME`, or a name that tasks of a tenant share. */
  readonly key: string;
  readonly limit: number;
  /** Absent means queue. */
  readonly whenFull?: WhenFull;
}

/** So many starts in a time with one value of a key. */
export interface RateLimit {
  /** As of ConcurrencyLimit. */
  readonly key: string;
  readonly units: number;
  readonly perMs: number;
  /** At most so many at once after a pause; absent means 1. */
  readonly burst?: number;
}

/** Past so many failed attempts in a time a task is quarantined. */
export interface RestartIntensity {
  readonly failures: number;
  readonly withinMs: number;
  /** What becomes of its executions then; absent means that they wait. */
  readonly whenQuarantined?: WhenQuarantined;
}

export type WhenQuarantined = 'wait' | 'refuse';

/** Results are kept, and equal calls get them; the task says that its function is a pure one. */
export interface CachePolicy {
  /** How long a result is used, from its end on. */
  readonly ttlMs: number;
  /** Of the output of one result; absent means `defaultCachedBytes`. */
  readonly maxBytes?: number;
  /** Also where it reads what no key can have. */
  readonly insist?: boolean;
}

/** A task as it was validated and completed with defaults; equal definitions have equal JSON. */
export interface TaskDefinition {
  readonly name: string;
  readonly description: string;
  readonly runtime: RuntimeKind;
  readonly artifact: Artifact;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Guest path to host path. */
  readonly preopens: Readonly<Record<string, string>>;
  /** It has one at all: without `network`, what is public, and a container one of the engine's. */
  readonly allowNetwork: boolean;
  /** What it may reach, as `domain/network/destination.ts` reads it; absent means that it says nothing of it. */
  readonly network?: readonly string[];
  /** Name in the instance to key, as `domain/secret.ts` reads it; absent means none. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly timeouts: Timeouts;
  /** How long the end of an attempt may take after it was asked for, in milliseconds. */
  readonly graceMs: number;
  readonly limits: Limits;
  readonly retry: RetryPolicy;
  readonly instancePolicy: InstancePolicy;
  /** `USER` or `USER:GROUP`, as names or numbers; empty means one without privileges. */
  readonly user: string;
  /** An absolute path; empty means the image's own, or a new folder for each attempt. */
  readonly workingDirectory: string;
  /** Of docker tasks, and no others. */
  readonly container?: ContainerSettings;
  readonly warm: WarmPolicy;
  /** Absent means the default of its runtime; `domain/interruption.ts` knows it. */
  readonly onInterrupt?: InterruptPolicy;
  /** Absent means 3. */
  readonly maxRecoveries?: number;
  /** Those that differ from the defaults. */
  readonly timers?: Partial<TimerPolicies>;
  /** Absent means none. */
  readonly labels?: Labels;
  /** Absent means normal. */
  readonly priority?: Priority;
  /** Absent means none. */
  readonly fairnessKey?: string;
  /** Absent means none. */
  readonly concurrency?: readonly ConcurrencyLimit[];
  /** Absent means none. */
  readonly rate?: readonly RateLimit[];
  /** Absent means that it is never quarantined. */
  readonly restartIntensity?: RestartIntensity;
  /** Absent means that each execution runs. */
  readonly cache?: CachePolicy;
  /** Who is told of the end of each execution; absent means nobody. */
  readonly onEnd?: readonly EndWebhook[];
  /** Labels that a node has to have; absent means that any node will do. */
  readonly runsOn?: RunsOn;
}

/** Whether a record is of this task, as far as tenant and name tell: its id alone may have come with a document. */
export function isOf(
  { tenant, definition }: Task,
  record: { readonly tenant?: string; readonly taskName: string },
): boolean {
  return tenant === record.tenant && definition.name === record.taskName;
}

/** A function that an artifact exports, as people and the wire see it. */
export interface FunctionSignature {
  /** As `function_name` takes it; empty for the default entry of a command. */
  readonly name: string;
  readonly parameters: readonly { readonly name: string /** WIT text. */; readonly type: string }[];
  /** WIT text; empty where the function returns nothing. */
  readonly result: string;
  /** Why it cannot be called; empty where it can. */
  readonly reason: string;
}

export interface Task {
  readonly taskId: string;
  /** Absent means the default one. */
  readonly tenant?: string;
  readonly revision: number;
  readonly definition: TaskDefinition;
  readonly functions: readonly FunctionSignature[];
  /** The world that the artifact exports, as WIT text; empty where it has no typed exports. */
  readonly wit: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}
