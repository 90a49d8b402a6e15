/** The instants of an execution: the alarm that each state stands under, and what becomes of timers that stood still. */
import { defaultTimers } from '../domain/interruption.ts';
import type { TimerName } from '../domain/task.ts';
import type { ExecutionContext } from './execution-context.ts';

/** Milliseconds since the epoch that a Date can be. */
const latestInstant = 8.64e15;

/** The earliest of several instants, some of which may not be set. */
function earliest(...instants: (number | null)[]): number {
  return instants.reduce<number>(
    (least, at) => (at !== null && at < least ? at : least),
    Number.POSITIVE_INFINITY,
  );
}

/** The states that stand under an alarm, and the instant of each; infinity is none. */
export const alarmOf = {
  'pending.waiting': ({ startAt, totalDeadline }) => earliest(startAt, totalDeadline),
  'pending.queued': ({ queueDeadline, totalDeadline }) => earliest(queueDeadline, totalDeadline),
  'pending.held': countingTotal,
  'running.attempting': ({ attemptDeadline, totalDeadline }) => earliest(attemptDeadline, totalDeadline),
  'running.backingOff': ({ retryAt, totalDeadline }) => earliest(retryAt, totalDeadline),
  'running.stopping': (context) => earliest(context.stopDeadline, countingTotal(context)),
  'running.suspended': countingTotal,
} satisfies Record<string, (context: ExecutionContext) => number>;

/** The total deadline; infinity while it does not count: time that is held, where the task says so. */
export function countingTotal({ heldSince, options, totalDeadline }: ExecutionContext): number {
  const counts = heldSince === null || (options.timers ?? defaultTimers).total === 'absolute';
  return counts ? totalDeadline : Number.POSITIVE_INFINITY;
}

/** The instants of an execution whose clock was behind by `ms`. */
export function shiftedTimers(context: ExecutionContext, ms: number) {
  const shifted = (at: number): number => Math.min(Math.max(0, at + ms), latestInstant);
  const optional = (at: number | null): number | null => (at === null ? null : shifted(at));
  return {
    totalDeadline: shifted(context.totalDeadline),
    startAt: optional(context.startAt),
    queueDeadline: optional(context.queueDeadline),
    attemptDeadline: optional(context.attemptDeadline),
    retryAt: optional(context.retryAt),
    stopDeadline: optional(context.stopDeadline),
    stoppingSince: optional(context.stoppingSince),
    heldSince: optional(context.heldSince),
  };
}

/** The timers of an execution that goes on at `at` (invariant I7). */
export function resumedTimers(
  context: ExecutionContext,
  at: number,
): Pick<ExecutionContext, 'startAt' | 'queueDeadline' | 'attemptDeadline' | 'totalDeadline' | 'heldSince'> {
  const { options } = context;
  const policies = options.timers ?? defaultTimers;
  // Two nodes' clocks may differ: what was left never grows.
  const stood = Math.max(0, at - (context.heldSince ?? at));
  const resumed = (name: TimerName, deadline: number, wholeMs: number | null): number => {
    if (policies[name] === 'absolute') return deadline;
    return policies[name] === 'remaining' || wholeMs === null ? deadline + stood : at + wholeMs;
  };
  const optional = (name: TimerName, deadline: number | null, wholeMs: number | null): number | null =>
    deadline === null ? null : resumed(name, deadline, wholeMs);
  return {
    startAt: optional('start', context.startAt, options.startMs),
    queueDeadline: optional('queue', context.queueDeadline, options.queueMs),
    attemptDeadline: optional('attempt', context.attemptDeadline, options.attemptMs),
    totalDeadline: resumed('total', context.totalDeadline, options.totalMs),
    heldSince: null,
  };
}
