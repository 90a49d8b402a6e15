import type { ActorRefFrom } from 'xstate';
import type { Invocation } from '../../domain/execution.ts';
import type { GateUse } from '../../domain/scheduling/gate.ts';
import { gatesOf } from '../../domain/scheduling/task-gates.ts';
import type { Task } from '../../domain/task.ts';
import { type ExecutionSnapshot, type executionMachine, statePath } from '../../machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../../machines/execution-context.ts';
import type { LiveLog } from '../log/live-log.ts';
import type { Stopwatch } from '../log/recorder.ts';
import type { KeptResult } from './cache/result-cache.ts';

interface LiveExecutionFacts {
  readonly log: LiveLog;
  readonly task: Task;
  /** Of one that begins here: what its chart begins with, and what it is called with. */
  readonly begins?: {
    readonly input: ExecutionInput;
    readonly invocation: Invocation;
    /** The principal that asked for it. */
    readonly by?: string | undefined;
  };
  /** Of one that goes on: where its chart stands, and the snapshot that its log leads to. */
  readonly goesOn?: { readonly snapshot: ExecutionSnapshot; readonly written: ExecutionSnapshot };
  /** What it ends with, at once. */
  readonly answer?: KeptResult | undefined;
  readonly speculative: boolean;
  readonly watched: boolean;
  readonly pending: boolean;
  readonly stopwatch: Stopwatch;
}

/** One execution that lives on this node: its log, its chart and its attempt. */
export class LiveExecution {
  readonly log: LiveLog;
  readonly task: Task;
  /** What its chart begins with; undefined for one that goes on. */
  readonly input: ExecutionInput | undefined;
  /** The principal that asked for one that begins here. */
  readonly by: string | undefined;
  /** Its first attempt may start before the admission is durable, as nothing outside can notice. */
  readonly speculative: boolean;
  /** Somebody waits for the first events as they come. */
  readonly watched: boolean;
  readonly stopwatch: Stopwatch;
  /** What it has to pass besides a free slot. */
  readonly gates: readonly GateUse[];
  /** Counts against the queue limit. */
  pending: boolean;
  /** Its last dispatch took from a rate: no attempt starts before that is durable. */
  isMetered = false;
  /** It waits behind those of its line that stand in memory; `counted` says that the store has it there. */
  behind: 'no' | 'yes' | 'counted' = 'no';
  /** Its place is that of one that waits for something else than a slot. */
  rests = false;
  /**
   * It is on its way to the cluster's queue: with a place that is not durable yet (`placed`), about to be nobody's
   * (`releasing`), or kept here while something is done to it (`claimed`).
   */
  handOver: 'no' | 'placed' | 'releasing' | 'claimed' = 'no';
  /** What came while it was about to be nobody's. */
  deferred: ExecutionEvent[] = [];
  /** The result of another that it ends with. */
  answer: KeptResult | undefined;
  /** Undefined where it is read back from the store when it is needed. */
  invocation: Invocation | undefined;
  /** It has none before something happens to it. */
  actor: ActorRefFrom<typeof executionMachine> | undefined;
  snapshot: ExecutionSnapshot | undefined;
  /** The snapshot that the log's last transition brought it to; a patch is over this. */
  written: ExecutionSnapshot | undefined;
  #attempt: AbortController | undefined;

  constructor({ begins, goesOn, ...facts }: LiveExecutionFacts) {
    this.log = facts.log;
    this.task = facts.task;
    this.input = begins?.input;
    this.by = begins?.by;
    this.answer = facts.answer;
    this.speculative = facts.speculative;
    this.watched = facts.watched;
    this.stopwatch = facts.stopwatch;
    this.gates = gatesOf(facts.log.record);
    this.pending = facts.pending;
    this.invocation = begins?.invocation;
    this.actor = undefined;
    this.snapshot = goesOn?.snapshot;
    this.written = goesOn?.written;
    this.#attempt = undefined;
  }

  get executionId(): string {
    return this.log.executionId;
  }

  /** As `running.attempting`; empty before its chart has begun. */
  get state(): string {
    return this.snapshot === undefined ? '' : statePath(this.snapshot);
  }

  /** Its attempt stands still, and can go on. */
  get attemptPaused(): boolean {
    return this.snapshot !== undefined && this.snapshot.context.pausedAttempt !== null;
  }

  /** Its attempt runs or stands still, and nothing has asked for its end. */
  get hasAttempt(): boolean {
    return this.state === 'running.attempting' || this.attemptPaused;
  }

  /** An attempt is under way, which `controller` ends. */
  attempts(controller: AbortController): void {
    this.#attempt = controller;
  }

  stopAttempt(): void {
    this.#attempt?.abort();
  }
}
