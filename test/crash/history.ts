/**
 * What clients asked for and were told over all runs of a server, and what there was at the end. Plain data: it is
 * all that the oracle goes by.
 */

import type { InterruptPolicy } from '../../src/domain/task.ts';
import type { Batch, BatchMemberState } from '../../src/server/gen/spearlet/batch_pb.js';
import type { ExecutionResult, StreamExecutionResult } from '../../src/server/gen/spearlet/function_pb.js';
import type { Firing, Schedule, ScheduleOverlap } from '../../src/server/gen/spearlet/schedule_pb.js';
import type { WebhookDelivery } from '../../src/server/gen/spearlet/webhook_pb.js';

/** How an execution has ended, in the words of the events that tell it. */
export type EndWord = 'completed' | 'failed' | 'cancelled' | 'timed_out';

export interface Webhook {
  /** Of its URL; no other of the same execution has it. */
  readonly path: string;
  /** Absent for all. */
  readonly statuses?: readonly EndWord[];
}

/** A try that a receiver has had. */
export interface Telling {
  /** Its `webhook-id`. */
  readonly id: string;
  readonly executionId: string;
  readonly path: string;
  readonly status: string;
  /** It was answered so; else it has to be tried again. */
  readonly accepted: boolean;
}

/** What an execution waits for: another one, by its plan. */
export interface Followed {
  readonly plan: number;
  /** It has to end, however; else it has to complete. */
  readonly ended: boolean;
  /** It runs also where that did not come about; else it fails. */
  readonly anyway: boolean;
  /** Its output is the input, or is added to what is given. */
  readonly output?: 'input' | 'summand';
}

/** What a task and a request promise of an execution. Times in milliseconds. */
export interface Terms {
  readonly task: string;
  readonly runtime: 'wasm' | 'process' | 'docker';
  readonly onInterrupt: InterruptPolicy;
  readonly maxRecoveries: number;
  readonly maxAttempts: number;
  readonly graceMs: number;
  readonly totalMs: number;
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly startAfterMs: number;
  /** Of an attempt that comes to its end by itself; absent for one that never does. */
  readonly exitCode?: number;
  /** All that such an attempt writes. */
  readonly stdout: Buffer;
  /** Of a typed function, as JSON text. */
  readonly value?: string;
  /** Its attempts leave marks outside. */
  readonly marks: boolean;
  /** Who is told of its end; absent for nobody. */
  readonly tells?: readonly Webhook[];
  /** Absent for nothing; with an output, `stdout` and `value` are what there is without it. */
  readonly follows?: readonly Followed[];
}

/** One thing that clients wanted, however often they sent it. */
export interface Plan {
  readonly number: number;
  /** Empty for none; with one, it may be sent again and again. */
  readonly invocationId: string;
  readonly terms: Terms;
  /** The schedule whose firings are of it: there may be any number of them. */
  readonly schedule?: string;
}

/** Plans that are sent together. */
export interface BatchPlan {
  readonly number: number;
  /** As of a plan. */
  readonly invocationId: string;
  /** The plans of its members, in their order. */
  readonly members: readonly number[];
  /** The others are cancelled when one does not complete. */
  readonly cancelOthers: boolean;
}

/** What comes again and again by the clock. Times in milliseconds. */
export interface SchedulePlan {
  /** No other has it. */
  readonly name: string;
  /** Of each firing. */
  readonly plan: number;
  readonly overlap: ScheduleOverlap;
  readonly intervalMs: number;
  readonly catchUpMs: number;
  /** Since the epoch. */
  readonly endAt: number;
}

export type Told =
  /** An answer to an invocation, or the first event of one that streams. */
  | {
      readonly kind: 'admitted';
      readonly plan: number;
      readonly executionId: string;
      /** Unknown to whoever streams. */
      readonly joined?: boolean;
    }
  | {
      readonly kind: 'view';
      readonly executionId: string;
      readonly result: ExecutionResult;
      readonly lastSequence: number;
      /** The result has all the output there was. */
      readonly withOutput: boolean;
    }
  | { readonly kind: 'event'; readonly executionId: string; readonly event: StreamExecutionResult }
  | { readonly kind: 'cancelled'; readonly executionId: string; readonly changed: boolean }
  | {
      readonly kind: 'held' | 'resumed';
      readonly executionId: string;
      readonly changed: boolean;
    }
  /** `executionIds` in the order of the members. */
  | {
      readonly kind: 'batchAdmitted';
      readonly batch: number;
      readonly batchId: string;
      readonly executionIds: readonly string[];
      readonly joined: boolean;
    }
  /** So many of its members were listed. */
  | { readonly kind: 'batchSeen'; readonly batch: number; readonly members: number }
  | { readonly kind: 'batchView'; readonly batchId: string; readonly batch: Batch }
  | { readonly kind: 'batchEnding'; readonly batchId: string; readonly member: BatchMemberState }
  /** `at` is when the answer came: wall clock, milliseconds since the epoch. */
  | {
      readonly kind: 'batchCancelled';
      readonly batchId: string;
      readonly changed: boolean;
      readonly at: number;
    }
  | { readonly kind: 'scheduleMade'; readonly schedule: string }
  /** `at` is when the answer came: wall clock, milliseconds since the epoch. */
  | { readonly kind: 'scheduleDeleted'; readonly schedule: string; readonly at: number }
  | { readonly kind: 'firings'; readonly schedule: string; readonly firings: readonly Firing[] }
  /** The server said no, and why. */
  | {
      readonly kind: 'refused';
      readonly call: string;
      readonly plan?: number;
      readonly batch?: number;
      readonly schedule?: string;
      readonly executionId?: string;
      /** The name of the gRPC code. */
      readonly code: string;
      readonly reason: string;
      readonly message: string;
    };

/** Why a run of the server was to end. */
export type Phase = 'load' | 'container' | 'recovery' | 'drain' | 'stop' | 'full' | 'locked' | 'last';

/** One run of the server. Wall clock, milliseconds since the epoch. */
export interface Run {
  readonly phase: Phase;
  /** Absent where it was killed before. */
  readonly readyAt?: number;
  /** Commits may have failed since; absent where the store worked all the time. */
  readonly faultAt?: number;
  readonly endedAt: number;
  readonly exit: string;
  /** Bugs of its own that it has logged. */
  readonly bugs: readonly string[];
  /** It was sent SIGKILL before it ended. */
  readonly killed: boolean;
}

/** An execution when everything had ended. */
export interface Final {
  readonly result: ExecutionResult;
  readonly lastSequence: number;
  readonly log: readonly StreamExecutionResult[];
}

/** A batch when everything had ended. */
export interface FinalBatch {
  readonly batch: Batch;
  /** In their order. */
  readonly members: readonly BatchMemberState[];
  /** Its log, without the end of the batch. */
  readonly endings: readonly BatchMemberState[];
}

/** A schedule when everything had ended, paused where it had not come to its own end. */
export interface FinalSchedule {
  readonly schedule: Schedule;
  /** In their order. */
  readonly firings: readonly Firing[];
}

/** A mark that an attempt left outside. */
export interface Mark {
  /** The attempt's own name for itself. */
  readonly attempt: string;
  readonly what: string;
}

/** What is still there of the node's, when nothing should be. */
export interface Remains {
  readonly when: string;
  readonly what: readonly string[];
}

export interface History {
  readonly plans: ReadonlyMap<number, Plan>;
  readonly told: readonly Told[];
  /** Executions that a client asked to cancel, whatever it was told then. */
  readonly cancelled: ReadonlySet<string>;
  /** Batches that one asked to cancel. */
  readonly cancelledBatches: ReadonlySet<string>;
  readonly batchPlans: ReadonlyMap<number, BatchPlan>;
  readonly schedulePlans: ReadonlyMap<string, SchedulePlan>;
  /** Schedules that a client asked to pause, or to delete, whatever it was told then. */
  readonly pausedSchedules: ReadonlySet<string>;
  readonly deletedSchedules: ReadonlySet<string>;
  readonly runs: readonly Run[];
  readonly finals: ReadonlyMap<string, Final>;
  readonly batches: ReadonlyMap<string, FinalBatch>;
  /** By name. */
  readonly schedules: ReadonlyMap<string, FinalSchedule>;
  /** By plan, in the order in which they were left. */
  readonly marks: ReadonlyMap<number, readonly Mark[]>;
  readonly remains: readonly Remains[];
  readonly tellings: readonly Telling[];
  /** What was told and is not signed as it should be. */
  readonly unsigned: readonly string[];
  /** As the node lists them when none waits any more. */
  readonly deliveries: readonly WebhookDelivery[];
}

/** The plan that an execution is of, by the label that clients give it; NaN where it has none. */
export function planOf({ metadata }: Pick<ExecutionResult, 'metadata'>): number {
  return Number(metadata[planLabel] ?? Number.NaN);
}

export const planLabel = 'plan';
/** Of each member, with the number of the plan of its batch. */
export const batchLabel = 'batch';
