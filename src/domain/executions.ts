import type { Dependency } from './dependency.ts';
import type { ExecutionMode, ExecutionRecord, Invocation, Rerun } from './execution.ts';
import type { Explanation } from './explanation.ts';
import type { Labels } from './labels.ts';
import type { LogCursor } from './log.ts';
import type { Overlap } from './schedule/schedule.ts';
import type { Priority } from './scheduling/priority.ts';
import type { Scope } from './scope.ts';
import type { SideRowChange } from './side-row.ts';
import type { Task, Timeouts } from './task.ts';
import type { ExecutionTrace } from './trace.ts';
import type { EndWebhook } from './webhook.ts';

/** A validated request to run a task. */
export interface AdmissionRequest {
  readonly task: Task;
  /** The alias that its revision was chosen by; absent where it was chosen by none. */
  readonly alias?: string;
  /** Absent for what does not run another again. */
  readonly rerun?: Rerun;
  readonly invocation: Invocation;
  readonly mode: ExecutionMode;
  /** The client's idempotency key; empty for none. */
  readonly invocationId: string;
  /** Hex digest over what makes two requests with one key the same; empty where there is no key. */
  readonly payloadDigest: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of the execution, the task's among them; absent means none. */
  readonly labels?: Labels;
  /** Of the execution; absent means normal. */
  readonly priority?: Priority;
  /** Of the execution; absent means none. */
  readonly fairnessKey?: string;
  /** The trace that it belongs to; absent means none. */
  readonly trace?: ExecutionTrace;
  /** Each at most the task's. */
  readonly timeouts: Timeouts & {
    readonly totalMs: number;
    /** The total timeout counts from the first attempt on: nobody has named one. */
    readonly totalFrom?: 'attempt';
  };
  /** Milliseconds; 0 for none. */
  readonly startAfterMs: number;
  readonly cancelOnDisconnect: boolean;
  /** Who is told of its end besides whom the task names; absent means nobody. */
  readonly onEnd?: readonly EndWebhook[];
  /** What it follows; absent means nothing. */
  readonly dependsOn?: readonly Dependency[];
  /** What of its call the key of a cache has; absent where its task has none. `bypass` is for this request alone. */
  readonly cache?: { readonly key: string; readonly bypass: boolean };
  /** It is refused where it would likely not be over within its total timeout. */
  readonly refuseIfLate?: true;
  /**
   * Rows that become durable with the execution of that id, and only with it: not where the request joins another.
   */
  readonly rows?: (executionId: string) => readonly SideRowChange[];
  /** The schedule that asks; absent means none. */
  readonly schedule?: { readonly name: string; readonly overlap: Overlap };
  /** The principal that asks. */
  readonly by?: string;
  /** What it may hear of: no execution beyond is named. Absent means everything. */
  readonly scope?: Scope;
}

export interface Admission {
  /** The caller's own cursor; the caller closes it. */
  readonly cursor: LogCursor;
  /** Another request with the same invocation id made the execution. */
  readonly joined: boolean;
}

/** What would become of a request if it came now; fields of the same name are as of Explanation. */
export interface Rehearsal
  extends Pick<Explanation, 'summary' | 'details' | 'queuePlace' | 'queueLength' | 'heldBy' | 'gate'> {
  readonly verdict: 'start' | 'wait' | 'join' | 'cached';
  /** Guesses, in milliseconds. */
  readonly startsInMs: number;
  readonly endsInMs: number;
  /** The execution that has its invocation id. */
  readonly joins?: string;
  /** The execution that has computed its result, where the caller may be told. */
  readonly cachedFrom?: string;
}

/** What the supervisor offers to those who serve callers. */
export interface Executions {
  /**
   * Accepts, joins or refuses a request. What comes back may not be durable yet: await the cursor.
   * Rejects with a RequestError: resource_exhausted, unavailable, already_exists.
   */
  admit(request: AdmissionRequest): Promise<Admission>;
  /** What would become of the request now, by the rules of `admit`; rejects with what that would. Nothing is kept. */
  rehearse(request: AdmissionRequest): Promise<Rehearsal>;
  /**
   * A cursor on any execution, running or finished. A glance does not count as an observer, for whom an execution
   * would go on when its creator leaves. Rejects with not_found.
   */
  attach(executionId: string, purpose?: 'observe' | 'glance'): Promise<LogCursor>;
  /** Answers once the request is durable; `by` is the principal that asks, here and below. Rejects with not_found. */
  cancel(executionId: string, reason: string, by?: string): Promise<Changed>;
  /** Milliseconds from now to the likely end of an execution with this record; 0 when it has ended. */
  estimate(record: ExecutionRecord): number;
  /**
   * Holds it, or lets it go on; answers once that is durable. Rejects with not_found, and with failed_precondition
   * where an attempt runs that can be neither paused nor run again.
   */
  suspend(executionId: string, by?: string): Promise<Changed>;
  resume(executionId: string, by?: string): Promise<Changed>;
  /** Those in scope that it follows or that follow it. */
  related(record: ExecutionRecord, scope: Scope): Promise<RelatedExecutions>;
  /** Which node of a cluster has it, by name; empty for one that has ended or that nobody has, and without a cluster. */
  nodeOf(record: ExecutionRecord): Promise<string>;
  /** Forgets one that has ended. Rejects with not_found, and failed_precondition where it has not, or one that has not follows it. */
  delete(executionId: string): Promise<void>;
}

/** An execution beside another one. */
export interface RelatedExecution {
  readonly executionId: string;
  /** Undefined for one that was deleted. */
  readonly record: ExecutionRecord | undefined;
  /** How the one follows the other; undefined where the record that says so is gone. */
  readonly dependency: Dependency | undefined;
}

/** Those that an execution follows, in the order in which it names them, and the first of those that follow it. */
export interface RelatedExecutions {
  readonly dependencies: readonly RelatedExecution[];
  readonly dependants: readonly RelatedExecution[];
}

/** What a request made of an execution. */
export interface Changed {
  /** False where it was so already. */
  readonly changed: boolean;
  readonly record: ExecutionRecord;
}

/** See Transfers.adopt. */
export interface Adoption {
  readonly takenAt: number;
  readonly shiftMs?: number;
  readonly hold: boolean;
  /** The principal that asks. */
  readonly by?: string;
}

/** What carrying executions between nodes asks of their supervisor. */
export interface Transfers {
  /**
   * Ends an execution with MOVED; resolves with its record when that is durable. The log before the first event whose
   * reason is MOVED, or before the result where there is none, is what goes on elsewhere. Rejects with not_found,
   * and failed_precondition where it has ended, or an attempt runs that may not be run again.
   */
  detach(executionId: string, by?: string): Promise<ExecutionRecord>;
  /**
   * Takes up an unfinished execution that the store has and that is not live, as after a crash. `takenAt` is when its
   * timers stopped, as deadlines count here; its instants are to be later by `shiftMs`, as they come from another
   * node's clock. Resolves with its record once that is durable.
   */
  adopt(executionId: string, restored: Adoption): Promise<ExecutionRecord>;
}
