import type { ErrorCode } from '../../domain/errors.ts';
import type { Invocation } from '../../domain/execution.ts';
import { owned, tenantOf } from '../../domain/scope.ts';
import type { Task } from '../../domain/task.ts';
import type { Attempt, AttemptIo, AttemptOutcome, OutputPosition, Runtime } from '../../runtimes/runtime.ts';
import { untilAborted } from '../until-aborted.ts';
import type { Unusable } from './dependency-output.ts';

export interface AttemptPlan {
  readonly executionId: string;
  readonly number: number;
  readonly task: Task;
  /** A function where the input waits in the store; it resolves with undefined where it is not there. */
  readonly invocation: Invocation | ((signal: AbortSignal) => Promise<Invocation | Unusable | undefined>);
  /** See Attempt; those that the task names are left to it. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
  /** Resolves with whether the attempt may have effects. Never rejects. */
  readonly ready?: Promise<boolean>;
}

/** An attempt of an earlier run of the node. */
export interface LeftAttempt {
  readonly executionId: string;
  readonly number: number;
  readonly task: Task;
  readonly instanceId: string;
  readonly position: OutputPosition;
  /** It stood still, and is to go on doing so. */
  readonly paused: boolean;
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

/**
 * Follows an attempt of an earlier run of the node, or with `end` ends it. Calls `settled` exactly once, never before
 * this returns; with undefined where nothing is left of it. `bug` is as above.
 */
export function reattach(
  runtime: Runtime,
  { executionId, number, task, instanceId, position, paused }: LeftAttempt,
  io: AttemptIo,
  end: boolean,
  told: {
    /** Its instance is there. Called at most once, maybe before this returns. */
    readonly found: () => void;
    readonly settled: (outcome: AttemptOutcome | undefined) => void;
    readonly bug: (error: unknown) => void;
  },
): AbortController {
  const controller = new AbortController();
  const { found, settled, bug } = told;
  if (end) controller.abort();
  const attempt: Attempt = {
    executionId,
    number,
    taskId: task.taskId,
    revision: task.revision,
    task: task.definition,
    ...owned(tenantOf(task)),
    // It has had its input.
    invocation: emptyInvocation,
  };
  const following = runtime.reattach?.(attempt, instanceId, position, io, controller.signal, paused, found);
  Promise.resolve(following).then(settled, (error: unknown) => {
    bug(error);
    settled(undefined);
  });
  return controller;
}

const emptyInvocation: Invocation = {
  functionName: '',
  parameters: {},
  input: new Uint8Array(),
  contentType: '',
  args: [],
  environment: {},
  forceNewInstance: false,
};

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
  const ready = plan.ready === undefined || (await untilAborted(plan.ready, signal, false));
  if (!ready || signal.aborted)
    return { kind: 'stopped', rung: 'cooperative', instanceId: '', resourceUse: {} };
  if (invocation === undefined) return failure('INTERNAL', 'the input of this execution is not in the store');
  if ('unusable' in invocation) return failure('DEPENDENCY_FAILED', invocation.unusable);
  const attempt: Attempt = {
    executionId: plan.executionId,
    number: plan.number,
    taskId: plan.task.taskId,
    revision: plan.task.revision,
    task: definition,
    ...owned(tenantOf(plan.task)),
    invocation,
    ...(plan.variables !== undefined && { variables: unnamed(plan.variables, definition.environment) }),
  };
  return runtime.run(attempt, io, signal);
}

function unnamed(
  variables: Readonly<Record<string, string>>,
  named: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !Object.hasOwn(named, name)));
}
