/** What a task says of attempts that are lost, and of its timers while an execution stands still. */
import { InterruptPolicy, type TimerPolicies, TimerPolicy } from '../server/gen/spearlet/task_pb.js';
import type { Definition, RuntimeName } from './definition.ts';

export const interruptNames = ['rerun', 'fail', 'reattach-or-rerun', 'reattach-or-fail'] as const;
export const timerPolicyNames = ['absolute', 'remaining', 'anew'] as const;

export type InterruptName = (typeof interruptNames)[number];
type TimerPolicyName = (typeof timerPolicyNames)[number];
type TimerName = (typeof timerNames)[number];

const timerNames = ['start', 'queue', 'attempt', 'total'] as const;

const interrupts: Readonly<Record<InterruptName, InterruptPolicy>> = {
  rerun: InterruptPolicy.RERUN,
  fail: InterruptPolicy.FAIL,
  'reattach-or-rerun': InterruptPolicy.REATTACH_OR_RERUN,
  'reattach-or-fail': InterruptPolicy.REATTACH_OR_FAIL,
};

const timerPolicies: Readonly<Record<TimerPolicyName, TimerPolicy>> = {
  absolute: TimerPolicy.ABSOLUTE,
  remaining: TimerPolicy.REMAINING,
  anew: TimerPolicy.ANEW,
};

interface InterruptionFields {
  readonly onInterrupt?: InterruptName | undefined;
  readonly maxRecoveries?: number | undefined;
  readonly timers?: { readonly [Name in TimerName]?: TimerPolicyName | undefined } | undefined;
}

/** As the wire takes it; what is not said is the server's default. */
export function interruptionOf({
  onInterrupt,
  maxRecoveries,
  timers,
}: InterruptionFields): Pick<Definition, 'onInterrupt' | 'maxRecoveries' | 'timers'> {
  const said = timerNames.flatMap((name) => {
    const policy = timers?.[name];
    return policy === undefined ? [] : [[name, timerPolicies[policy]] as const];
  });
  return {
    ...(onInterrupt !== undefined && { onInterrupt: interrupts[onInterrupt] }),
    ...(maxRecoveries !== undefined && { maxRecoveries }),
    ...(said.length > 0 && { timers: Object.fromEntries(said) }),
  };
}

/** Only a container outlives the server that started it. */
export function interruptNamesFor(runtime: RuntimeName): readonly InterruptName[] {
  return runtime === 'docker' ? interruptNames : ['rerun', 'fail'];
}

/** `reattach-or-fail`; a policy from a newer server is its number. */
export function interruptText(policy: InterruptPolicy): string {
  return (InterruptPolicy[policy] ?? String(policy)).toLowerCase().replaceAll('_', '-');
}

/** `start remaining, queue anew`. */
export function timersText(timers: TimerPolicies): string {
  const word = (policy: TimerPolicy) => (TimerPolicy[policy] ?? String(policy)).toLowerCase();
  return timerNames.map((name) => `${name} ${word(timers[name])}`).join(', ');
}
