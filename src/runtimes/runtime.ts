import type { ErrorCode } from '../domain/errors.ts';
import type { OutputStream } from '../domain/event.ts';
import type { Invocation, ResourceUse } from '../domain/execution.ts';
import type { FunctionSignature, RuntimeKind, TaskDefinition } from '../domain/task.ts';

/** What a runtime can do beyond running an attempt to its end. Declared, never a silent no-op. */
export interface RuntimeCapabilities {
  /** Can find an attempt that outlived a node and follow it again. */
  readonly reattach: boolean;
  readonly stdin: boolean;
  /** Has typed exports beside the default entry. */
  readonly typedFunctions: boolean;
}

/** What is known of an artifact once it can be run. */
export interface PreparedArtifact {
  readonly functions: readonly FunctionSignature[];
  /** Exported functions and their types as WIT text; empty where there are none. */
  readonly wit: string;
}

/** One try of an execution. */
export interface Attempt {
  readonly executionId: string;
  /** From 1. */
  readonly number: number;
  readonly taskId: string;
  readonly revision: number;
  readonly task: TaskDefinition;
  readonly invocation: Invocation;
}

/** Where an attempt's output goes. */
export interface AttemptIo {
  /**
   * Takes over `data` (the runtime must not touch it again). `undefined` means go on; a promise means write
   * no more until it resolves. Never throws, never rejects; after the log is sealed bytes are counted and dropped.
   */
  write(stream: OutputStream, data: Uint8Array): Promise<void> | undefined;
}

interface AttemptFacts {
  /** The instance that ran it; empty where none was made. */
  readonly instanceId: string;
  readonly resourceUse: ResourceUse;
}

/**
 * How an attempt ended. When it is settled nothing of the attempt is left (invariant I9) and every byte
 * it wrote has been handed to `AttemptIo`. `output` is a typed function's value as JSON text.
 */
export type AttemptOutcome = AttemptFacts &
  (
    | { readonly kind: 'completed'; readonly exitCode?: number; readonly output?: string }
    | {
        readonly kind: 'failed';
        readonly code: ErrorCode;
        readonly message: string;
        readonly exitCode?: number;
        readonly output?: string;
      }
    /** The signal ended it; `rung` is the rung of the termination ladder that worked. */
    | { readonly kind: 'stopped'; readonly rung: string }
  );

/**
 * The port to one way of running code. A guest's failure is a value; a rejection is a bug of ours
 * (it becomes INTERNAL). `signal` is the only way to stop an attempt; an attempt whose signal is aborted
 * settles as soon as nothing of it is left.
 */
export interface Runtime {
  readonly kind: RuntimeKind;
  readonly capabilities: RuntimeCapabilities;
  /**
   * Makes an artifact ready to run and reads its signatures; called at registration, and again where the node
   * starts with a task it knows. Rejects with a RequestError that names the field where the task cannot be run here.
   */
  prepare(task: TaskDefinition): Promise<PreparedArtifact>;
  run(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome>;
  /** Ends every instance. Attempts still running settle as INSTANCE_LOST. */
  close(): Promise<void>;
}
