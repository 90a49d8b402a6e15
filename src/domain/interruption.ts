/** What a task says about attempts that are lost and timers that stood still, completed with the defaults. */
import { networkOf } from './network/network-list.ts';
import type { InterruptPolicy, RuntimeKind, Task, TaskDefinition, TimerPolicies } from './task.ts';

/** What becomes of lost attempts. */
export interface RecoveryPolicy {
  readonly onInterrupt: InterruptPolicy;
  /** Lost attempts that an execution survives. */
  readonly maxRecoveries: number;
}

/** A process's effects on its host may have happened; a container may still run. */
const byRuntime: Readonly<Record<RuntimeKind, InterruptPolicy>> = {
  wasm: 'rerun',
  docker: 'reattachOrRerun',
  process: 'fail',
};

const defaultMaxRecoveries = 3;

/** Invariant I7's defaults. */
export const defaultTimers: TimerPolicies = {
  start: 'remaining',
  queue: 'remaining',
  attempt: 'anew',
  total: 'absolute',
};

export function defaultInterruptPolicy(runtime: RuntimeKind): InterruptPolicy {
  return byRuntime[runtime];
}

export function interruptPolicyOf(
  definition: Pick<TaskDefinition, 'runtime' | 'onInterrupt'>,
): InterruptPolicy {
  return definition.onInterrupt ?? byRuntime[definition.runtime];
}

export function maxRecoveriesOf(definition: Pick<TaskDefinition, 'maxRecoveries'>): number {
  return definition.maxRecoveries ?? defaultMaxRecoveries;
}

export function timersOf(definition: Pick<TaskDefinition, 'timers'>): TimerPolicies {
  return definition.timers === undefined ? defaultTimers : { ...defaultTimers, ...definition.timers };
}

/** A lost attempt may be followed by another. */
export function mayRerun(policy: InterruptPolicy): boolean {
  return policy === 'rerun' || policy === 'reattachOrRerun';
}

export function mayReattach(policy: InterruptPolicy): boolean {
  return policy === 'reattachOrRerun' || policy === 'reattachOrFail';
}

export function recoveryOf(definition: TaskDefinition): RecoveryPolicy {
  return { onInterrupt: interruptPolicyOf(definition), maxRecoveries: maxRecoveriesOf(definition) };
}

/** ARCHITECTURE, one invocation, step 2: nothing outside can tell whether an attempt of such a task has run. */
export function hasNoOutsideEffects({ definition }: Task): boolean {
  const { runtime, preopens } = definition;
  return (
    runtime === 'wasm' &&
    networkOf(definition).length === 0 &&
    interruptPolicyOf(definition) === 'rerun' &&
    Object.keys(preopens).length === 0
  );
}
