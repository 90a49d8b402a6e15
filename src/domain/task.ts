import type { ErrorCode } from './errors.ts';

export type RuntimeKind = 'wasm' | 'docker' | 'process';

/** Durations in milliseconds; absent means none, but for `total`, which the node gives a default. */
export interface Timeouts {
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly totalMs?: number;
}

export interface Limits {
  /** Bytes of one instance's memory: linear memories and tables for WebAssembly. */
  readonly memory: number;
  /** stdout and stderr of a whole execution, in bytes. */
  readonly maxOutputBytes: number;
  /** Chunks in the log of a whole execution. */
  readonly maxOutputEvents: number;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** The share of each delay that is random, 0 to 1. */
  readonly jitter: number;
  /** Empty means the codes that are retryable by default. */
  readonly on: readonly ErrorCode[];
}

/** Immutable code. A wasm artifact's bytes are in the artifact folder under its digest. */
export type Artifact =
  | { readonly kind: 'wasm'; readonly sha256: string; readonly sizeBytes: number }
  | { readonly kind: 'process'; readonly path: string; readonly sha256: string }
  | { readonly kind: 'docker'; readonly image: string; readonly imageId: string };

export type InstancePolicy = 'fresh' | 'reused';

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
  readonly allowNetwork: boolean;
  readonly timeouts: Timeouts;
  /** How long the end of an attempt may take after it was asked for, in milliseconds. */
  readonly graceMs: number;
  readonly limits: Limits;
  readonly retry: RetryPolicy;
  readonly instancePolicy: InstancePolicy;
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
  readonly revision: number;
  readonly definition: TaskDefinition;
  readonly functions: readonly FunctionSignature[];
  /** The world that the artifact exports, as WIT text; empty where it has no typed exports. */
  readonly wit: string;
  /** Wall clock, milliseconds since the epoch. */
  readonly createdAt: number;
  readonly updatedAt: number;
}
