import type { Clock } from '../../domain/clock.ts';
import type { Cutoffs } from '../../domain/cutoffs.ts';
import { takesOutput } from '../../domain/dependency.ts';
import { hasNoOutsideEffects } from '../../domain/interruption.ts';
import type { RuntimeKind, Task } from '../../domain/task.ts';
import { traceVariables } from '../../domain/trace.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import type { AttemptOutcome, Runtime } from '../../runtimes/runtime.ts';
import type { Store } from '../../stores/store.ts';
import type { Slots } from '../queue/slots.ts';
import { startAttempt } from './attempts.ts';
import { withOutputs } from './dependency-output.ts';
import type { LiveExecution } from './live-execution.ts';
import type { LiveExecutions } from './live-executions.ts';
import type { TaskQuarantines } from './quarantines.ts';
import { fromStore } from './recovery/stored-invocation.ts';
import { RetryBudgets } from './retry-budgets.ts';

export interface AttemptRunnerOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly executions: LiveExecutions;
  readonly slots: Slots;
  readonly quarantines: TaskQuarantines;
  readonly cutoffs: Cutoffs | undefined;
  /** 0 to 1; spreads retries. */
  readonly random: () => number;
  /** Milliseconds since the epoch. */
  now(): number;
  deliver(executionId: string, event: ExecutionEvent): void;
  /** The attempt of an execution has ended that is live no more. */
  gone(executionId: string): void;
  /** An attempt of it did not find its program or image. */
  unavailable(task: Task): void;
  /** The store could not be read, or can be again. */
  readHealth(error: Error | undefined): void;
  bug(error: unknown, executionId: string): void;
}

/** As 128 and SIGKILL. */
const killedCode = 137;

/** Starts and ends the attempts that charts ask for, and tells the charts what came of them. */
export class AttemptRunner {
  readonly #options: AttemptRunnerOptions;
  #quiet: PromiseWithResolvers<void> | undefined;
  readonly #budgets = new RetryBudgets();
  #closed = false;

  constructor(options: AttemptRunnerOptions) {
    this.#options = options;
  }

  runtimeOf(task: Task): Runtime | undefined {
    return this.#options.runtimes.get(task.definition.runtime);
  }

  start(execution: LiveExecution, number: number): void {
    const { executionId, log, task, invocation } = execution;
    const times = this.#options.cutoffs?.times;
    this.#budgets.began(execution, number);
    const { store, clock, bug, readHealth } = this.#options;
    const followed = async (signal: AbortSignal) => {
      const given = invocation ?? (await fromStore(store, clock, log.record, signal, readHealth));
      return given === undefined ? undefined : withOutputs(store, log.record, task, given);
    };
    const controller = startAttempt(
      this.runtimeOf(task),
      {
        executionId,
        number,
        task,
        // What starts it is durable before it can have effects that the log does not know of.
        ...((execution.isMetered || !hasNoOutsideEffects(task)) && { ready: log.durable() }),
        variables: traceVariables(log.record, number),
        invocation: takesOutput(log.record)
          ? (signal) => followed(signal)
          : (invocation ?? ((signal) => fromStore(store, clock, log.record, signal, readHealth))),
      },
      log,
      (end) => this.ended(execution, end, times),
      (error) => bug(error, executionId),
    );
    execution.attempts(controller);
    if (task.definition.retry.maxAttempts === 1) execution.invocation = undefined;
  }

  /** `cutoffs` is how often all that ran had been ended when it began; 0 for one of an earlier run of the node. */
  ended(execution: LiveExecution, end: AttemptOutcome, cutoffs = 0): void {
    const known = mayBeCutOff(end) ? this.#options.cutoffs?.known() : undefined;
    if (known === undefined) this.#ended(execution, end);
    else
      void known.then((times) => {
        if (times === cutoffs || !execution.hasAttempt) this.#ended(execution, end);
        else this.#lost(execution, end);
      });
  }

  /** The node was cut off for too long, and nobody has taken over: what its task says of lost attempts holds. */
  #lost({ executionId, log }: LiveExecution, { instanceId, resourceUse }: AttemptOutcome): void {
    if (this.#closed) return;
    const { executions, deliver, gone, now } = this.#options;
    if (executions.has(executionId)) {
      log.note(instanceId, resourceUse);
      const message = 'its node was cut off from the store for longer than --partition-grace';
      deliver(executionId, { type: 'lost', at: now(), message });
    } else gone(executionId);
    this.settle();
  }

  #ended(execution: LiveExecution, end: AttemptOutcome): void {
    const { executionId, log } = execution;
    if (this.#closed) return;
    if (end.kind === 'failed' && end.code === 'ARTIFACT_UNAVAILABLE')
      this.#options.unavailable(execution.task);
    const { executions, gone, deliver, now, random, quarantines } = this.#options;
    if (executions.has(executionId)) {
      log.note(end.instanceId, end.resourceUse);
      const ended = { type: 'attemptEnded', at: now(), end, random: random() } as const;
      quarantines.judge(execution, ended);
      deliver(executionId, this.#budgets.judged(execution, ended));
    } else gone(executionId);
    this.settle();
  }

  /** Resolves when no attempt runs any more. */
  async quiet(): Promise<void> {
    while (this.#options.slots.running > 0) {
      this.#quiet ??= Promise.withResolvers();
      await this.#quiet.promise;
    }
  }

  /** Looks whether one still runs: a slot is free without an end where its attempt was paused, or could not be confirmed gone. */
  settle(): void {
    if (this.#options.slots.running > 0) return;
    this.#quiet?.resolve();
    this.#quiet = undefined;
  }

  /** What ends from now on is not told. */
  close(): void {
    this.#closed = true;
  }
}

/** It ended as what is killed does; what a program said itself, or a limit of its task, stands. */
function mayBeCutOff(end: AttemptOutcome): boolean {
  if (end.kind !== 'failed') return false;
  switch (end.code) {
    case 'SIGNALED':
    case 'FUNCTION_EXIT':
      return end.exitCode === killedCode;
    case 'INSTANCE_LOST':
    case 'RUNTIME_UNAVAILABLE':
    case 'START_FAILED':
      return true;
    default:
      return false;
  }
}
