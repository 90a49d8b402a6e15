/** What a definition says of attempts that are lost, and of its timers while an execution stands still. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { invalidArgument } from '../../domain/errors.ts';
import {
  defaultInterruptPolicy,
  defaultTimers,
  interruptPolicyOf,
  maxRecoveriesOf,
  mayReattach,
  timersOf,
} from '../../domain/interruption.ts';
import type { RuntimeKind, TaskDefinition, TimerName, TimerPolicy } from '../../domain/task.ts';
import {
  InterruptPolicy,
  type TaskDefinitionSchema,
  type TimerPolicies,
  TimerPolicy as WireTimer,
} from '../gen/spearlet/task_pb.js';
import { interruptFromWire, interruptToWire, timerFromWire, timerToWire } from './enums.ts';
import { within } from './limits.ts';

type Interruption = Pick<TaskDefinition, 'onInterrupt' | 'maxRecoveries' | 'timers'>;

interface WireInterruption {
  readonly onInterrupt: InterruptPolicy;
  readonly maxRecoveries?: number | undefined;
  readonly timers?: TimerPolicies | undefined;
}

const mostRecoveries = 1000;
/** In the order of the contract, so that equal timers have equal JSON. */
const timerNames: readonly TimerName[] = ['start', 'queue', 'attempt', 'total'];

/**
 * Only what differs from the defaults: a definition that names a default equals one that says nothing, and one from
 * before it could say anything.
 */
export function interruptionFromWire(runtime: RuntimeKind, definition: WireInterruption): Interruption {
  const onInterrupt = interruptPolicyFromWire(runtime, definition.onInterrupt);
  const most = within('definition.max_recoveries', definition.maxRecoveries, 0, mostRecoveries);
  const timers = timersFromWire(definition.timers);
  return {
    ...(onInterrupt !== defaultInterruptPolicy(runtime) && { onInterrupt }),
    ...(most !== undefined && most !== maxRecoveriesOf({}) && { maxRecoveries: most }),
    ...(timers !== undefined && { timers }),
  };
}

function interruptPolicyFromWire(
  runtime: RuntimeKind,
  policy: InterruptPolicy,
): NonNullable<Interruption['onInterrupt']> {
  if (policy === InterruptPolicy.UNSPECIFIED) return defaultInterruptPolicy(runtime);
  const field = 'definition.on_interrupt';
  const known = interruptFromWire.get(policy);
  if (known === undefined) {
    throw invalidArgument(
      field,
      `${policy} is not known; allowed are RERUN, FAIL, REATTACH_OR_RERUN, REATTACH_OR_FAIL`,
    );
  }
  if (mayReattach(known) && runtime !== 'docker') {
    throw invalidArgument(
      field,
      `${InterruptPolicy[policy]} is for docker tasks; allowed for ${runtime} are RERUN, FAIL`,
    );
  }
  return known;
}

function timersFromWire(timers: TimerPolicies | undefined): Interruption['timers'] {
  const changed: Partial<Record<TimerName, TimerPolicy>> = {};
  for (const name of timerNames) {
    const policy = timers?.[name] ?? WireTimer.UNSPECIFIED;
    if (policy === WireTimer.UNSPECIFIED) continue;
    const known = timerFromWire.get(policy);
    if (known === undefined) {
      throw invalidArgument(
        `definition.timers.${name}`,
        `${policy} is not known; allowed are ABSOLUTE, REMAINING, ANEW`,
      );
    }
    if (known !== defaultTimers[name]) changed[name] = known;
  }
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** What holds, said or not. */
export function interruptionToWire(definition: Pick<TaskDefinition, 'runtime'> & Interruption) {
  const timers = timersOf(definition);
  return {
    onInterrupt: interruptToWire[interruptPolicyOf(definition)],
    maxRecoveries: maxRecoveriesOf(definition),
    timers: {
      start: timerToWire[timers.start],
      queue: timerToWire[timers.queue],
      attempt: timerToWire[timers.attempt],
      total: timerToWire[timers.total],
    },
  } satisfies MessageInitShape<typeof TaskDefinitionSchema>;
}
