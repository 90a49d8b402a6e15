/** What a definition says of attempts that are lost, and of its timers while an execution stands still. */
import { invalidArgument } from '../../domain/errors.ts';
import {
  defaultInterruptPolicy,
  defaultTimers,
  interruptPolicyOf,
  maxRecoveriesOf,
  mayReattach,
  timersOf,
} from '../../domain/interruption.ts';
import { constantCase } from '../../domain/schema/form.ts';
import type { RuntimeKind, TaskDefinition, TimerName } from '../../domain/task.ts';

type Interruption = Pick<TaskDefinition, 'onInterrupt' | 'maxRecoveries' | 'timers'>;

/**
 * Only what differs from the defaults, and undefined else: a definition that names a default equals one that says
 * nothing, and one from before it could say anything.
 */
export function changedInterruption(
  runtime: RuntimeKind,
  { onInterrupt, maxRecoveries, timers }: Interruption,
): { readonly [Name in keyof Interruption]-?: Interruption[Name] | undefined } {
  if (onInterrupt !== undefined && mayReattach(onInterrupt) && runtime !== 'docker') {
    throw invalidArgument(
      'definition.on_interrupt',
      `${constantCase(onInterrupt)} is for docker tasks; allowed for ${runtime} are RERUN, FAIL`,
    );
  }
  const changed = Object.entries(timers ?? {}).filter(
    ([name, policy]) => policy !== defaultTimers[name as TimerName],
  );
  return {
    onInterrupt: onInterrupt === defaultInterruptPolicy(runtime) ? undefined : onInterrupt,
    maxRecoveries: maxRecoveries === maxRecoveriesOf({}) ? undefined : maxRecoveries,
    timers: changed.length === 0 ? undefined : Object.fromEntries(changed),
  };
}

/** What holds, said or not. */
export function completeInterruption(
  definition: Pick<TaskDefinition, 'runtime'> & Interruption,
): Required<Interruption> {
  return {
    onInterrupt: interruptPolicyOf(definition),
    maxRecoveries: maxRecoveriesOf(definition),
    timers: timersOf(definition),
  };
}
