import type { ExecutionMode, ExecutionRecord, Invocation } from './execution.ts';
import type { LogCursor } from './log.ts';
import type { Task, Timeouts } from './task.ts';

/** A validated request to run a task. */
export interface AdmissionRequest {
  readonly task: Task;
  readonly invocation: Invocation;
  readonly mode: ExecutionMode;
  /** The client's idempotency key; empty for none. */
  readonly invocationId: string;
  /** Hex digest over what makes two requests with one key the same; empty where there is no key. */
  readonly payloadDigest: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Each at most the task's. */
  readonly timeouts: Timeouts & { readonly totalMs: number };
  /** Milliseconds; 0 for none. */
  readonly startAfterMs: number;
  readonly cancelOnDisconnect: boolean;
}

export interface Admission {
  /** The caller's own cursor; the caller closes it. */
  readonly cursor: LogCursor;
  /** Another request with the same invocation id made the execution. */
  readonly joined: boolean;
}

/** What the supervisor offers to those who serve callers. */
export interface Executions {
  /**
   * Accepts, joins or refuses a request. What comes back may not be durable yet: await the cursor.
   * Rejects with a RequestError: resource_exhausted, unavailable, already_exists.
   */
  admit(request: AdmissionRequest): Promise<Admission>;
  /**
   * A cursor on any execution, running or finished. A glance does not count as an observer, for whom an execution
   * would go on when its creator leaves. Rejects with not_found.
   */
  attach(executionId: string, purpose?: 'observe' | 'glance'): Promise<LogCursor>;
  /** Answers once the request is durable. Rejects with not_found. */
  cancel(executionId: string, reason: string): Promise<{ changed: boolean; record: ExecutionRecord }>;
  /** Milliseconds from now to the likely end of an execution with this record; 0 when it has ended. */
  estimate(record: ExecutionRecord): number;
}
