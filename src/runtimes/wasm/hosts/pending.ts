import type { Attempt, AttemptIo, AttemptOutcome } from '../../runtime.ts';
import type { Job, Program } from './protocol.ts';

/** Secrets of an attempt as variables, over those of its caller. */
export interface GivenSecrets {
  readonly environment: Readonly<Record<string, string>>;
  readonly fingerprint: string;
}

/** An attempt between `run` and its outcome. */
export class PendingJob {
  readonly program: Program;
  readonly job: Omit<Job, 'ticket' | 'program'>;
  readonly input: Uint8Array;
  readonly executionId: string;
  /** From 1. */
  readonly attempt: number;
  /** CPU time that it may use; absent means no limit. */
  readonly cpuTimeMs: number | undefined;
  readonly io: AttemptIo;
  readonly signal: AbortSignal;
  readonly outcome: Promise<AttemptOutcome>;
  /** Where it is: waiting in the pool, or in a host. Whoever holds it answers an abort. */
  holder: { abort(pending: PendingJob): void };
  /** Whether it wrote anything; such a program is not run in batches. */
  talked = false;
  /** It was lost with a host that others had used too, and is to run in one that nobody has. */
  alone = false;
  readonly #resolve: (outcome: AttemptOutcome) => void;
  readonly #onAbort: () => void;

  constructor(
    program: Program,
    { executionId, number, task, invocation, variables }: Attempt,
    secrets: GivenSecrets,
    io: AttemptIo,
    signal: AbortSignal,
    holder: { abort(pending: PendingJob): void },
  ) {
    this.program = program;
    this.input = invocation.input;
    this.job = {
      timed: task.limits.cpuTimeMs !== undefined,
      // A command runs once in an instance; only typed functions find one alive.
      reuse:
        task.instancePolicy === 'reused' && invocation.functionName !== '' && !invocation.forceNewInstance,
      functionName: invocation.functionName,
      parameters: invocation.parameters,
      args: invocation.args,
      environment: { ...variables, ...invocation.environment, ...secrets.environment },
      secrets: secrets.fingerprint,
    };
    this.executionId = executionId;
    this.attempt = number;
    this.cpuTimeMs = task.limits.cpuTimeMs;
    this.io = io;
    this.signal = signal;
    this.holder = holder;
    const { promise, resolve } = Promise.withResolvers<AttemptOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#onAbort = () => this.holder.abort(this);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  settle(outcome: AttemptOutcome): void {
    this.signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(outcome);
  }

  /** It was stopped before any of it ran. */
  stopUnstarted(): void {
    this.settle({ kind: 'stopped', rung: 'cooperative', instanceId: '', resourceUse: {} });
  }
}
