import type { Invocation } from './execution.ts';
import type { Labels } from './labels.ts';
import type { Chosen } from './revisions/port.ts';
import type { Scope } from './scope.ts';
import type { Limits, Task, TaskDefinition } from './task.ts';

/**
 * What can be changed of a task without registering it again: nothing of it says what runs, as whom, or what it may
 * reach.
 */
export const changeable = [
  'timeouts',
  'retry',
  'warm',
  'labels',
  'priority',
  'fairnessKey',
  'concurrency',
  'rate',
  'restartIntensity',
  'cache',
  'onEnd',
  'runsOn',
] as const satisfies readonly (keyof TaskDefinition)[];

export type Changeable = (typeof changeable)[number];

/** A definition as it comes from a caller: its artifact not yet resolved, and only the limits that it names. */
export type TaskDraft = Omit<TaskDefinition, 'artifact' | 'limits'> & {
  readonly limits: Partial<Limits>;
  readonly source:
    | { readonly kind: 'content'; readonly content: Uint8Array }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'path'; readonly path: string }
    | { readonly kind: 'image'; readonly image: string };
  /** Hex digest that the artifact must have; empty means not checked. */
  readonly sha256: string;
};

/** A part of an artifact on its way to the node. */
export interface ArtifactProgress {
  /** The layer or file. */
  readonly part: string;
  readonly status: string;
  readonly doneBytes: number;
  /** 0 where it is not known. */
  readonly totalBytes: number;
}

/** How a registration is followed, and given up. `progress` must not throw. */
export interface Registration {
  /** Of who asks; the task is of its tenant. */
  readonly scope: Scope;
  readonly ifAbsent: boolean;
  readonly progress: (step: ArtifactProgress) => void;
  readonly signal: AbortSignal;
}

/** A change of a task. */
export interface TaskUpdate {
  /** Of who asks. */
  readonly scope: Scope;
  /** Which of its fields are. */
  readonly changes: ReadonlySet<Changeable>;
  /** The definition as it is to be, of the one that is there. Throws invalid_argument. */
  readonly changed: (definition: TaskDefinition) => TaskDefinition;
  readonly expectedRevision?: number | undefined;
}

/** What is known of a task that is quarantined. Times are of the wall clock, milliseconds since the epoch. */
export interface TaskQuarantine {
  readonly since: number;
  /** How many attempts failed within the time before that. */
  readonly failures: number;
  /** In words. */
  readonly lastError: string;
  /** Of those that were let through to try since, how many failed. */
  readonly failedProbes: number;
  /** Absent while one tries. */
  readonly nextProbeAt?: number;
}

export interface Quarantines {
  /** Of what the task runs now; undefined where it is not quarantined. */
  of(task: Task): TaskQuarantine | undefined;
  /** Forgets what has failed of it, on all nodes. Says whether it was quarantined. Rejects with StoreError. */
  reset(task: Task): Promise<boolean>;
}

/** The registered tasks. What is out of a scope is not there. */
export interface Tasks {
  /**
   * Rejects with a RequestError: invalid_argument, permission_denied for a name that is out of scope, already_exists
   * (`ifAbsent`), failed_precondition, unavailable.
   */
  register(draft: TaskDraft, registration: Registration): Promise<{ task: Task; changed: boolean }>;
  /**
   * Of a task by id or name, without its artifact. Updates go one after the other, so that none loses what another has
   * changed. Rejects with a RequestError: invalid_argument, not_found, aborted for another revision than is expected.
   */
  update(idOrName: string, update: TaskUpdate): Promise<{ task: Task; changed: boolean }>;
  /** By id or name. Rejects with not_found. */
  get(scope: Scope, idOrName: string): Promise<Task>;
  /** As `choose` of Revisions. */
  choose(scope: Scope, reference: string, key: string): Promise<Chosen>;
  /** Of the scope's tenant, by name, names after `afterName`, and those alone that have all of the labels. */
  list(scope: Scope, afterName: string, limit: number, labels?: Labels): Promise<Task[]>;
  remove(scope: Scope, idOrName: string): Promise<Task>;
  /** Whether the task of an id is in scope, also one that was deleted. False where there is none. */
  isSeen(scope: Scope, taskId: string): Promise<boolean>;
  /**
   * Checks a call against what the task exports; the parameters of the names in `later` get their values when it runs. Returns the full name of the function; throws invalid_argument
   * naming the parameter, or not_found with what there is.
   */
  checkCall(
    task: Task,
    functionName: string,
    parameters: Invocation['parameters'],
    later?: readonly string[],
  ): string;
}
