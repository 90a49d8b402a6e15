/** The instants of an execution: the alarm that each state stands under, and what becomes of timers that stood still. */
import { latestInstant } from '../domain/clock.ts';
import { defaultTimers } from '../domain/interruption.ts';
import type { TimerName } from '../domain/task.ts';
import type { ExecutionContext, ExecutionInput } from './execution-context.ts';

/** When an execution that is admitted now is over at the latest; `latestInstant` where that does not count yet. */
export function totalDeadlineOf({
  now,
  totalMs,
  totalFrom,
}: Pick<ExecutionInput, 'now' | 'totalMs' | 'totalFrom'>): number {
  return totalFrom === undefined ? now + totalMs : latestInstant;
}

/** The total deadline; infinity as long as it does not count. */
export function totalOf({ totalDeadline }: Pick<ExecutionContext, 'totalDeadline'>): number {
  return totalDeadline === latestInstant ? Number.POSITIVE_INFINITY : totalDeadline;
}

/** The earliest of several instants, some of which may not be set. */
function earliest(...instants: (number | null)[]): number {
  return instants.reduce<number>(
    (least, at) => (at !== null && at < least ? at : least),
    Number.POSITIVE_INFINITY,
  );
}

/** The states that stand under an alarm, and the instant of each; infinity is none. */
export const alarmOf = {
  'pending.waiting': (context) => earliest(context.startAt, totalOf(context)),
  'pending.queued': (context) => earliest(context.queueDeadline, totalOf(context)),
  'pending.blocked': totalOf,
  'pending.held': countingTotal,
  'running.attempting': (context) => earliest(context.attemptDeadline, totalOf(context)),
  'running.backingOff': (context) => earliest(context.retryAt, totalOf(context)),
  'running.stopping': (context) => earliest(context.stopDeadline, countingTotal(context)),
  'running.suspended': countingTotal,
} satisfies Record<string, (context: ExecutionContext) => number>;

/** The total deadline; infinity while it does not count: time that is held, where the task says so. */
export function countingTotal(context: ExecutionContext): number {
  const { heldSince, options } = context;
  const counts = heldSince === null || (options.timers ?? defaultTimers).total === 'absolute';
  return counts ? totalOf(context) : Number.POSITIVE_INFINITY;
}

/** The instants of an execution whose clock was behind by `ms`. */
export function shiftedTimers(context: ExecutionContext, ms: number) {
  const shifted = (at: number): number => Math.min(Math.max(0, at + ms), latestInstant);
  const optional = (at: number | null): number | null => (at === null ? null : shifted(at));
  return {
    totalDeadline: context.totalDeadline === latestInstant ? latestInstant : shifted(context.totalDeadline),
    startAt: optional(context.startAt),
    queueDeadline: optional(context.queueDeadline),
    attemptDeadline: optional(context.attemptDeadline),
    retryAt: optional(context.retryAt),
    stopDeadline: optional(context.stopDeadline),
    stoppingSince: optional(context.stoppingSince),
    heldSince: optional(context.heldSince),
    blockedSince: optional(context.blockedSince),
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
    totalDeadline:
      context.totalDeadline === latestInstant
        ? latestInstant
        : resumed('total', context.totalDeadline, options.totalMs),
    heldSince: null,
  };
}
