import type { ExecutionStatus } from './execution.ts';
import type { Scope } from './scope.ts';

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
  /** Of the executions that hold the slots it waits for, or that the gate lets run, those in scope, at most 100. */
  readonly heldBy: readonly string[];
  /** When it goes on by itself, where that is known: wall clock, milliseconds since the epoch. */
  readonly goesOnAt?: number;
  /** The deadline that ends it if nothing else does. */
  readonly endsAt?: number;
  /** Absent where nothing but slots holds it back. */
  readonly gate?: QueueGate;
}

/** What holds back an execution that waits, besides the slots. */
export interface QueueGate {
  readonly kind: string;
  /** As its task has it; empty where there is none. */
  readonly key: string;
  /** Of this execution. */
  readonly value: string;
  /** Attempts at a time; of a rate, starts in `perMs`. */
  readonly limit: number;
  readonly perMs?: number;
  readonly burst?: number;
  /** It lets nobody through since then: wall clock, milliseconds since the epoch. */
  readonly since: number;
  /** When it opens by itself, where that is known. */
  readonly opensAt?: number;
}

export interface Explanations {
  /** Names no execution out of the scope; by default it is everything. Rejects with not_found. */
  explain(executionId: string, scope?: Scope): Promise<Explanation>;
}
