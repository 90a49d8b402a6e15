/** What the execution chart is made of: its types, its changes of context, its conditions, and the effects it asks for. */
import { assign, setup } from 'xstate';
import { latestInstant } from '../domain/clock.ts';
import { mayRerun } from '../domain/interruption.ts';
import {
  causeOf,
  confirmMs,
  endOutcome,
  interruption,
  mayRecover,
  outcomeOf,
  retryTime,
  statusFor,
  willRetry,
} from './ending.ts';
import type { ExecutionContext, ExecutionEvent, ExecutionInput } from './execution-context.ts';
import { resumedTimers } from './timers.ts';

const unimplemented = (): void => {};

/** What of a context belongs to the attempt that is over. */
const attemptOver = { attemptDeadline: null, stopDeadline: null, stoppingSince: null, pausedAttempt: null };

export const executionSetup = setup({
  types: {
    context: {} as ExecutionContext,
    events: {} as ExecutionEvent,
    input: {} as ExecutionInput,
  },
  actions: {
    /** Effects: the supervisor provides them. They must not send to this actor before they return. */
    armAlarm: unimplemented as (_: unknown, params: { readonly at: number }) => void,
    requestSlot: unimplemented,
    /** Takes a slot beyond those that there are, where it must. */
    takeSlot: unimplemented,
    releaseSlot: unimplemented,
    startAttempt: unimplemented,
    stopAttempt: unimplemented,

    /** Its queue timeout counts from now on, also while it is held; that of one with a start time counts from there. */
    unblock: assign(({ context, event }) => ({
      blockedSince: null,
      ...(context.startAt === null &&
        context.options.queueMs !== null && { queueDeadline: event.at + context.options.queueMs }),
    })),
    enterQueue: assign(({ context, event }) => ({
      startAt: null,
      blockedSince: null,
      queueDeadline:
        context.options.queueMs === null || !('at' in event)
          ? context.queueDeadline
          : event.at + context.options.queueMs,
    })),
    beginAttempt: assign(({ context, event }) => ({
      attempt: context.attempt + 1,
      totalDeadline:
        context.totalDeadline === latestInstant && event.type === 'dispatch'
          ? event.at + context.options.totalMs
          : context.totalDeadline,
      queueDeadline: null,
      retryAt: null,
      attemptDeadline:
        context.options.attemptMs === null || event.type !== 'dispatch'
          ? null
          : event.at + context.options.attemptMs,
    })),
    beginBackoff: assign(({ context, event }) => {
      if (event.type !== 'attemptEnded') return {};
      const code = context.cause?.code ?? (event.end.kind === 'failed' ? event.end.code : 'INSTANCE_LOST');
      return { ...attemptOver, cause: null, retryAt: retryTime(context, code, event.at, event.random) };
    }),
    holdRetry: assign(({ event }) => ({ ...attemptOver, cause: null, heldSince: event.at })),
    retryIsDue: assign({ retryAt: null }),
    beginStopping: assign(({ context, event }) => ({
      cause: causeOf(context, event),
      attemptDeadline: null,
      pausedAttempt: null,
      stoppingSince: event.at,
      stopDeadline: event.at + context.options.graceMs + confirmMs,
    })),
    replaceCause: assign(({ context, event }) => ({ cause: causeOf(context, event) })),

    beginHold: assign(({ event }) => ({ heldSince: event.type === 'restored' ? event.takenAt : event.at })),
    endHold: assign(({ context, event }) => resumedTimers(context, event.at)),
    restoreTimers: assign(({ context, event }) =>
      event.type === 'restored' ? resumedTimers({ ...context, heldSince: event.takenAt }, event.at) : {},
    ),
    /** Nothing changes but the snapshot, which is how it is seen that the event was taken. */
    goOnAsIs: assign({}),
    pauseAttempt: assign(({ context }) => ({ pausedAttempt: context.attempt })),
    unpauseAttempt: assign({ pausedAttempt: null }),
    /** It has ended while it was held; what follows it waits until that goes on. */
    dropAttempt: assign(attemptOver),
    /** The next attempt may begin at once. */
    makeDue: assign(({ event }) => ({ ...attemptOver, retryAt: event.at })),
    countHeld: assign(({ context }) => ({ ...attemptOver, lost: context.lost + 1 })),
    countLost: assign(({ context, event }) => ({
      ...attemptOver,
      lost: context.lost + 1,
      recoveries: context.recoveries + (isPlanned(event) ? 0 : 1),
    })),

    endByCause: assign(({ context, event }) => {
      const cause = causeOf(context, event);
      return cause === null ? {} : { cause, outcome: outcomeOf(cause) };
    }),
    endByAttempt: assign(({ event }) =>
      event.type === 'attemptEnded' ? { outcome: endOutcome(event.end, event.overBudget) } : {},
    ),
    endByCache: assign(({ event }) => (event.type === 'cached' ? { outcome: event.outcome } : {})),
    endByStop: assign(({ context, event }) => {
      if (event.type !== 'attemptEnded' || context.cause === null) return {};
      const rung = event.end.kind === 'stopped' ? event.end.rung : 'none';
      const tookMs = Math.max(0, event.at - (context.stoppingSince ?? event.at));
      return { outcome: outcomeOf(context.cause, { rung, tookMs }, event.end) };
    }),
    endUnconfirmed: assign(({ context }) => ({
      outcome: outcomeOf({
        code: 'KILL_UNCONFIRMED',
        message: `the attempt could not be confirmed gone within ${context.options.graceMs + confirmMs} ms after ${context.cause?.code ?? 'the stop'}`,
      }),
    })),
    endByLoss: assign(({ context, event }) =>
      event.type === 'lost' ? { outcome: outcomeOf(interruption(context, event.message)) } : {},
    ),
  },
  guards: {
    startIsDue: ({ context, event }) =>
      event.type === 'alarm' && context.startAt !== null && event.at >= context.startAt,
    isBlocked: ({ context }) => context.blockedSince !== null,
    dependencyFailed: ({ context, event }) =>
      context.blockedSince !== null && event.type === 'unblocked' && event.failed !== undefined,
    /** What it depends on has ended as it had to. */
    mayGoOn: ({ context, event }) => isReleased(context, event),
    mayWaitForStart: ({ context, event }) => isReleased(context, event) && context.startAt !== null,
    startIsAhead: ({ context }) => context.startAt !== null,
    retryDue: ({ context, event }) =>
      event.type === 'alarm' && context.retryAt !== null && event.at >= context.retryAt,
    deadlinePassed: ({ context, event }) => event.type === 'alarm' && causeOf(context, event) !== null,
    graceIsOver: ({ context, event }) =>
      event.type === 'alarm' && context.stopDeadline !== null && event.at >= context.stopDeadline,
    /** What ends the attempt now would not have ended the execution. */
    mayStillGoOn: ({ context, event }) =>
      (context.cause === null || willRetry(context, context.cause.code)) && causeOf(context, event) !== null,
    completed: ({ event }) => event.type === 'attemptEnded' && event.end.kind === 'completed',
    isHeldByBudget: ({ event }) => event.type === 'attemptEnded' && event.overBudget === 'hold',
    canRetry: ({ context, event }) => {
      if (event.type !== 'attemptEnded' || event.end.kind === 'completed') return false;
      if (event.overBudget !== undefined) return false;
      const code = event.end.kind === 'failed' ? event.end.code : 'INSTANCE_LOST';
      return retryTime(context, code, event.at, event.random) !== null;
    },
    canRetryAfterStop: ({ context, event }) =>
      event.type === 'attemptEnded' &&
      event.overBudget === undefined &&
      context.cause !== null &&
      retryTime(context, context.cause.code, event.at, event.random) !== null,
    causeIsTimeout: ({ context, event }) => {
      const cause = event.type === 'attemptEnded' ? context.cause : causeOf(context, event);
      return cause !== null && statusFor(cause.code) === 'timedOut';
    },
    causeIsCancel: ({ context }) => context.cause?.code === 'CANCELLED',

    mayRerun: ({ context }) => mayRerun(context.options.recovery.onInterrupt),
    mayRecover: ({ context, event }) =>
      isPlanned(event) ? mayRerun(context.options.recovery.onInterrupt) : mayRecover(context),
    hasAttempt: ({ context }) => context.pausedAttempt !== null,
    attemptIsOverdue: ({ context, event }) =>
      context.pausedAttempt !== null && event.type === 'alarm' && causeOf(context, event) !== null,
    toBeHeld: ({ event }) => event.type === 'restored' && event.hold,
    /** The attempt is being stopped for nothing but a suspend. */
    stopsToHold: ({ context }) => context.cause === null && context.heldSince !== null,
    endedBeforeHold: ({ context, event }) =>
      context.cause === null && event.type === 'attemptEnded' && event.end.kind === 'completed',
    /** A resume has come before the attempt that was to be held was gone. */
    resumedBeforeHold: ({ context }) => context.cause === null && context.heldSince === null,
  },
});

function isReleased({ blockedSince }: ExecutionContext, event: ExecutionEvent): boolean {
  return blockedSince !== null && event.type === 'unblocked' && event.failed === undefined;
}

function isPlanned(event: ExecutionEvent): boolean {
  return event.type === 'lost' && event.planned === true;
}
