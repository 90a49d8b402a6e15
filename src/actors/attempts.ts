import type { ErrorCode } from '../domain/errors.ts';
import type { Invocation } from '../domain/execution.ts';
import type { Task } from '../domain/task.ts';
import type { Attempt, AttemptIo, AttemptOutcome, Runtime } from '../runtimes/runtime.ts';

export interface AttemptPlan {
  readonly executionId: string;
  readonly number: number;
  readonly task: Task;
  /** A function where the input waits in the store; it resolves with undefined where it is not there. */
  readonly invocation: Invocation | ((signal: AbortSignal) => Promise<Invocation | undefined>);
}

function failure(code: ErrorCode, message: string): AttemptOutcome {
  return { kind: 'failed', code, message, instanceId: '', resourceUse: {} };
}

/**
 * Runs one attempt and calls `settled` exactly once, never before this returns. `bug` hears of a rejection, which a
 * runtime must not make; the caller then sees INTERNAL and nothing of the cause.
 */
export function startAttempt(
  runtime: Runtime | undefined,
  plan: AttemptPlan,
  io: AttemptIo,
  settled: (outcome: AttemptOutcome) => void,
  bug: (error: unknown) => void,
): AbortController {
  const controller = new AbortController();
  run(runtime, plan, io, controller.signal).then(settled, (error: unknown) => {
    bug(error);
    settled(
      failure('INTERNAL', 'the runtime failed in a way that it should not; the log of the node says how'),
    );
  });
  return controller;
}

async function run(
  runtime: Runtime | undefined,
  plan: AttemptPlan,
  io: AttemptIo,
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const definition = plan.task.definition;
  if (runtime === undefined) {
    return failure('RUNTIME_UNAVAILABLE', `this node has no ${definition.runtime} runtime`);
  }
  const invocation = typeof plan.invocation === 'function' ? await plan.invocation(signal) : plan.invocation;
  if (signal.aborted) return { kind: 'stopped', rung: 'cooperative', instanceId: '', resourceUse: {} };
  if (invocation === undefined) return failure('INTERNAL', 'the input of this execution is not in the store');
  const attempt: Attempt = {
    executionId: plan.executionId,
    number: plan.number,
    taskId: plan.task.taskId,
    revision: plan.task.revision,
    task: definition,
    invocation,
  };
  return runtime.run(attempt, io, signal);
}
