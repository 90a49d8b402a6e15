import type { QueueGate } from './explanation.ts';
import type { Priority } from './scheduling/priority.ts';
import type { Scope } from './scope.ts';

/** Those that wait in a line and have to pass the same. */
export interface QueueClass {
  readonly waiting: number;
  /** Who is next of them; absent where that is not known yet. */
  readonly next?: QueueHead;
  /** Absent where nothing but slots holds them. */
  readonly gate?: QueueGate;
  /** Of those whose attempts keep them waiting, some that are in scope. */
  readonly heldBy: readonly string[];
  /** What holds them, in words. */
  readonly summary: string;
  /** What lets them go, in words. */
  readonly freedBy: string;
}

export interface QueueHead {
  readonly executionId: string;
  /** When it came to the queue: wall clock, milliseconds since the epoch. Absent for a retry, and where it is not known. */
  readonly since?: number;
}

/** Those that wait in a tenant with the same priority and fairness key: first come, first served. */
export interface QueueLine {
  readonly tenant: string;
  readonly priority: Priority;
  readonly fairnessKey: string;
  readonly running: number;
  /** In memory and in the store. */
  readonly waiting: number;
  /** Of those that wait: what something else than slots holds back. */
  readonly held: number;
  /** Of the slots that all that is in scope had in the last minute or so, from 0 to 1. */
  readonly shareUsed: number;
  /** Of the slots of what is in scope, by weight among those that run or could; 0 where nothing of it does. */
  readonly shareDue: number;
  readonly next?: QueueHead;
  /** Those of which most wait. */
  readonly classes: readonly QueueClass[];
  readonly otherClasses: number;
}

/** Who waits for a slot, and what holds them. */
export interface QueueView {
  readonly slots: number;
  readonly running: number;
  readonly waiting: number;
  readonly held: number;
  /** What keeps the node from starting anything, in words; empty where nothing does. */
  readonly block: string;
  /** Those where most wait, and then those where only something runs. */
  readonly lines: readonly QueueLine[];
  readonly otherLines: number;
  /** How many wait in these. */
  readonly otherWaiting: number;
  /** Nodes of the cluster that did not answer: what they have is not counted. Absent is none. */
  readonly silentNodes?: readonly string[];
  /** Wall clock, milliseconds since the epoch. */
  readonly time: number;
}

/** What one node of a cluster knows. */
export interface NodeQueue {
  /** What it has. */
  readonly here: QueueView;
  /** What nobody has, of the node that gives it away. */
  readonly unowned?: QueueView;
}

export interface QueueViews {
  /**
   * Of at most so many lines, and never more than 1000; of a cluster that of all nodes. Rejects with permission_denied for
   * a scope of less than a tenant: whose a line is, its numbers do not say.
   */
  view(scope: Scope, mostLines?: number): Promise<QueueView>;
}
