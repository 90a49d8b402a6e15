import type { ExecutionStatus } from './execution.ts';

/** Why an execution is where it is, for people. */
export interface Explanation {
  readonly executionId: string;
  readonly status: ExecutionStatus;
  /** Path in the chart. */
  readonly state: string;
  /** One sentence. */
  readonly summary: string;
  /** More, a line each. */
  readonly details: readonly string[];
  /** From 1; 0 where it is in no queue. */
  readonly queuePlace: number;
  readonly queueLength: number;
  /** The executions that hold the slots it waits for, at most 100. */
  readonly heldBy: readonly string[];
  /** When it goes on by itself, where that is known: wall clock, milliseconds since the epoch. */
  readonly goesOnAt?: number;
  /** The deadline that ends it if nothing else does. */
  readonly endsAt?: number;
}

export interface Explanations {
  /** Rejects with not_found. */
  explain(executionId: string): Promise<Explanation>;
}
