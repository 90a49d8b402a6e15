import type { ErrorCode } from '../domain/errors.ts';
import type { OutputStream } from '../domain/event.ts';
import type { Invocation, ResourceUse } from '../domain/execution.ts';
import type { NetworkRefusal } from '../domain/network/refusal.ts';
import type { Owned } from '../domain/scope.ts';
import type { Artifact, FunctionSignature, Limits, RuntimeKind, TaskDefinition } from '../domain/task.ts';
import type { ArtifactProgress, TaskDraft } from '../domain/tasks.ts';

/** What a runtime can do beyond running an attempt to its end. Declared, never a silent no-op. */
export interface RuntimeCapabilities {
  /** Can find an attempt that outlived a node and follow it again. */
  readonly reattach: boolean;
  /** Can stop an attempt where it is, and let it go on. */
  readonly pause: boolean;
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

/** A secret as an instance gets it. It is in no record, log, event or message. */
export interface SecretValue {
  /** Of the file or the variable. */
  readonly name: string;
  readonly key: string;
  /** Where its runtime makes files of secrets: it is to be a variable all the same. */
  readonly asVariable: boolean;
  readonly value: Uint8Array;
}

export interface Secrets {
  readonly values: readonly SecretValue[];
  /** Equal where the values are, in this run of the node; it tells nothing of them. */
  readonly fingerprint: string;
}

export const noSecrets: Secrets = { values: [], fingerprint: '' };

export interface SecretSource {
  /** The values as they are now. Rejects with a LaunchError that names the key and where it was looked for. */
  read(task: Pick<TaskDefinition, 'secrets'>, tenant: string): Promise<Secrets>;
}

/** One try of an execution. */
export interface Attempt extends Owned {
  readonly executionId: string;
  /** From 1. */
  readonly number: number;
  readonly taskId: string;
  readonly revision: number;
  readonly task: TaskDefinition;
  readonly invocation: Invocation;
  /** Of its environment, under those of the caller. An instance that was started ahead has none. Absent means none. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Where an attempt's output goes, and what is known of it. */
export interface AttemptIo {
  /**
   * Takes over `data` (the runtime must not touch it again). `undefined` means go on; a promise means write
   * no more until it resolves. Never throws, never rejects; after the log is sealed bytes are counted and dropped.
   */
  write(stream: OutputStream, data: Uint8Array): Promise<void> | undefined;
  /**
   * Says which instance serves the attempt. Resolves when that is durable, which is before the first byte of input
   * goes to an instance that may outlive the node. Never rejects.
   */
  bind(instanceId: string): Promise<void>;
  /** Says that the instance has had all of the input, so that the attempt may be followed again after a crash. */
  inputDelivered(): void;
  /** Says that it was not let go somewhere. Never throws; those beyond the bound of an attempt are left out. */
  refused(refusal: NetworkRefusal): void;
}

/** How much of an attempt's output is in the log already, in bytes of each stream. */
export type OutputPosition = Readonly<Record<OutputStream, number>>;

interface AttemptFacts {
  /** The instance that ran it; empty where none was made. */
  readonly instanceId: string;
  readonly resourceUse: ResourceUse;
  /** It could not be confirmed gone; the rule below does not hold for it. */
  readonly remains?: true;
  /** Of one that was reattached: it could not be followed, or not all of its output is to be had, so it is lost. */
  readonly unfollowed?: true;
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

/** How the fetching of an artifact is followed, and given up. */
export interface Fetching {
  /** Whose task it is for; absent means the default. */
  readonly tenant?: string;
  readonly progress: (step: ArtifactProgress) => void;
  readonly signal: AbortSignal;
}

/** What a runtime of any make does for the registration of tasks. */
export interface TaskHost {
  readonly kind: RuntimeKind;
  readonly capabilities: RuntimeCapabilities;
  /** What a definition gets that names no limit of its own: only what this runtime can hold it to. */
  readonly defaultLimits: Partial<Limits>;
  /** Throws invalid_argument for what it cannot give to a task, or hold it to, as far as the definition alone says. */
  checkSettings?(task: TaskDefinition): void;
  /**
   * Finds or fetches the artifact that a draft names, checks its digest and makes it immutable. Rejects with a
   * RequestError that names the field, or `unavailable` where this runtime cannot work now, and what to do.
   */
  resolve(draft: TaskDraft, fetching: Fetching): Promise<Artifact>;
  /**
   * Makes an artifact ready to run and reads its signatures; called at registration, and again where the node
   * starts with a task it knows. Rejects with a RequestError that names the field where the task cannot be run
   * here, also where it asks for a limit that this runtime cannot hold it to, or for what only other tenants than
   * `tenant` have.
   */
  prepare(task: TaskDefinition, tenant?: string): Promise<PreparedArtifact>;
  /** Ends every instance. Attempts still running settle as INSTANCE_LOST. */
  close(): Promise<void>;
}

/**
 * The port to one way of running code. A guest's failure is a value; a rejection is a bug of ours
 * (it becomes INTERNAL). `signal` is the only way to stop an attempt; an attempt whose signal is aborted
 * settles as soon as nothing of it is left.
 */
export interface Runtime extends TaskHost {
  run(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome>;
  /**
   * With `capabilities.reattach`: follows an attempt of an earlier run of the node from `position` on, as `run` does;
   * undefined where its instance is not there any more, or could not be reached in time and is removed later. Where
   * the signal is aborted it ends the attempt. Called for each instance that the opening of the runtime was told to
   * spare. With `paused`, of a runtime that can pause, it is one that stands still until `unpause`. `found` is called
   * once where its instance is there, before any of its output.
   */
  reattach?(
    attempt: Attempt,
    instanceId: string,
    position: OutputPosition,
    io: AttemptIo,
    signal: AbortSignal,
    paused?: boolean,
    found?: () => void,
  ): Promise<AttemptOutcome | undefined>;
  /** With `capabilities.reattach`: nothing more is asked for, and what is left of an earlier run of the node is ended. */
  endRecovery?(): void;
  /**
   * With `capabilities.pause`: stops the running attempt of an execution where it is, or lets it go on. Rejects with
   * a RequestError, failed_precondition or unavailable, where it cannot. A paused attempt can be aborted.
   */
  pause?(executionId: string): Promise<void>;
  unpause?(executionId: string): Promise<void>;
  /**
   * With `capabilities.reattach`: lets go of the running attempt of an execution without ending it, before `close`.
   * Its `run` does not settle any more.
   */
  release?(executionId: string): void;
  /** Keeps instances of this revision ready as the task's `warm` says. May be called more than once. */
  warm(taskId: string, revision: number, task: TaskDefinition, owned: Owned): void;
  /** Keeps none ready any more. */
  cool(taskId: string, revision: number): void;
}

/** What an instance is started with. */
export interface Launch {
  readonly instanceId: string;
  readonly taskId: string;
  readonly revision: number;
  readonly task: TaskDefinition;
  /** The execution's own, after and over the task's; empty for an instance that is started ahead. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Absent means none. */
  readonly secrets?: Secrets;
}

/** A started program that waits for its standard input, to be used once or not at all. */
export interface Instance {
  /** Resolves with why when it can serve no more: it wrote or ended before `serve`. Otherwise never settles. */
  readonly spoiled: Promise<string>;
  /** Resolves when nothing is left of it, however it ended. */
  readonly gone: Promise<void>;
  /** Gives it the input and follows it to its end: see Runtime.run. Called once, and not after `discard`. */
  serve(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome>;
  /** Ends it unused. Resolves when nothing is left of it, or with false where that could not be confirmed. */
  discard(): Promise<boolean>;
  /** See Runtime. */
  pause?(): Promise<void>;
  unpause?(): Promise<void>;
  release?(): void;
}

/** An instance could not be started, and nothing of it is left. */
export class LaunchError extends Error {
  override readonly name = 'LaunchError';
  readonly code: ErrorCode;

  /** `message` is written for the caller of the execution. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An instance that an earlier run of the node launched, with all of its input. */
export interface LeftInstance {
  readonly launch: Launch;
  /** Its output up to here is not wanted again. */
  readonly position: OutputPosition;
  /** It is to stand still until `unpause`. */
  readonly paused: boolean;
}

/** A runtime whose instances each run one attempt; `actors/warm-runtime.ts` makes a Runtime of it. */
export interface InstanceRuntime extends TaskHost {
  /**
   * Rejects with a LaunchError, or with the signal's reason where that ended it. Either way nothing is left. It need
   * not wait for the program: one that then fails to start is told by `spoiled` and by the outcome of `serve`.
   */
  launch(launch: Launch, signal: AbortSignal): Promise<Instance>;
  /**
   * With `capabilities.reattach`: finds an instance of an earlier run of the node again. Its `serve` sends no input.
   * Undefined where it is not there any more, or could not be reached in time and is removed later. Rejects with a
   * LaunchError, and then nothing is left of it; with the signal's reason where that ended the wait for it. A signal
   * that is aborted is else the business of `serve`.
   */
  recover?(left: LeftInstance, signal: AbortSignal): Promise<Instance | undefined>;
  /** See Runtime. */
  endRecovery?(): void;
}
