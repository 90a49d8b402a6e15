/**
 * The life of one execution. Pure: time comes in with events, effects go out as named actions that the
 * supervisor provides.
 *
 * pending.waiting → pending.queued → running.attempting ⇄ running.backingOff
 *                                          ↓
 *                                    running.stopping → completed | failed | timedOut | cancelled
 *
 * - One alarm stands at the nearest deadline of the current state; a tie goes to the total timeout.
 * - The first cause of an ending wins. What would be retried is not an ending: a cancel or the total
 *   timeout that comes while such an attempt is being stopped replaces the cause.
 * - A final state is entered from `stopping` only when the attempt is gone, or when its grace and the time that
 *   its forced end may take are over (I9).
 */
import { assign, type SnapshotFrom, setup } from 'xstate';
import { causeOf, confirmMs, endOutcome, outcomeOf, retryTime, statusFor, willRetry } from './ending.ts';
import type { ExecutionContext, ExecutionEvent, ExecutionInput } from './execution-context.ts';

/** Raised with every change of states, events or context that a stored snapshot or log would notice. */
export const executionChartVersion = 1;

const unimplemented = (): void => {};

/** The nearest of several instants, some of which may not be set. */
function nearest(...instants: (number | null)[]): number {
  return instants.reduce<number>(
    (least, at) => (at !== null && at < least ? at : least),
    Number.POSITIVE_INFINITY,
  );
}

const executionSetup = setup({
  types: {
    context: {} as ExecutionContext,
    events: {} as ExecutionEvent,
    input: {} as ExecutionInput,
  },
  actions: {
    /** Effects: the supervisor provides them. They must not send to this actor before they return. */
    armAlarm: unimplemented as (_: unknown, params: { readonly at: number }) => void,
    requestSlot: unimplemented,
    releaseSlot: unimplemented,
    startAttempt: unimplemented,
    stopAttempt: unimplemented,

    enterQueue: assign(({ context, event }) => ({
      startAt: null,
      queueDeadline:
        context.queueMs === null || !('at' in event) ? context.queueDeadline : event.at + context.queueMs,
    })),
    beginAttempt: assign(({ context, event }) => ({
      attempt: context.attempt + 1,
      queueDeadline: null,
      retryAt: null,
      attemptDeadline:
        context.attemptMs === null || event.type !== 'dispatch' ? null : event.at + context.attemptMs,
    })),
    beginBackoff: assign(({ context, event }) => {
      if (event.type !== 'attemptEnded') return {};
      const code = context.cause?.code ?? (event.end.kind === 'failed' ? event.end.code : 'INSTANCE_LOST');
      return {
        retryAt: retryTime(context, code, event.at, event.random),
        attemptDeadline: null,
        stopDeadline: null,
        stoppingSince: null,
        cause: null,
      };
    }),
    retryIsDue: assign({ retryAt: null }),
    beginStopping: assign(({ context, event }) => ({
      cause: causeOf(context, event),
      attemptDeadline: null,
      stoppingSince: event.at,
      stopDeadline: event.at + context.graceMs + confirmMs,
    })),
    replaceCause: assign(({ context, event }) => ({ cause: causeOf(context, event) })),
    endByCause: assign(({ context, event }) => {
      const cause = causeOf(context, event);
      return cause === null ? {} : { cause, outcome: outcomeOf(cause) };
    }),
    endByAttempt: assign(({ event }) =>
      event.type === 'attemptEnded' ? { outcome: endOutcome(event.end) } : {},
    ),
    endByStop: assign(({ context, event }) => {
      if (event.type !== 'attemptEnded' || context.cause === null) return {};
      const rung = event.end.kind === 'stopped' ? event.end.rung : 'none';
      const tookMs = Math.max(0, event.at - (context.stoppingSince ?? event.at));
      return { outcome: outcomeOf(context.cause, { rung, tookMs }, event.end) };
    }),
    endUnconfirmed: assign(({ context }) => ({
      outcome: outcomeOf({
        code: 'KILL_UNCONFIRMED',
        message: `the attempt could not be confirmed gone within ${context.graceMs + confirmMs} ms after ${context.cause?.code ?? 'the stop'}`,
      }),
    })),
  },
  guards: {
    startIsDue: ({ context, event }) =>
      event.type === 'alarm' && context.startAt !== null && event.at >= context.startAt,
    retryDue: ({ context, event }) =>
      event.type === 'alarm' && context.retryAt !== null && event.at >= context.retryAt,
    deadlinePassed: ({ context, event }) => event.type === 'alarm' && causeOf(context, event) !== null,
    graceIsOver: ({ context, event }) =>
      event.type === 'alarm' && context.stopDeadline !== null && event.at >= context.stopDeadline,
    wouldHaveRetried: ({ context, event }) =>
      context.cause !== null && willRetry(context, context.cause.code) && causeOf(context, event) !== null,
    completed: ({ event }) => event.type === 'attemptEnded' && event.end.kind === 'completed',
    canRetry: ({ context, event }) => {
      if (event.type !== 'attemptEnded' || event.end.kind === 'completed') return false;
      const code = event.end.kind === 'failed' ? event.end.code : 'INSTANCE_LOST';
      return retryTime(context, code, event.at, event.random) !== null;
    },
    canRetryAfterStop: ({ context, event }) =>
      event.type === 'attemptEnded' &&
      context.cause !== null &&
      retryTime(context, context.cause.code, event.at, event.random) !== null,
    causeIsTimeout: ({ context, event }) => {
      const cause = event.type === 'attemptEnded' ? context.cause : causeOf(context, event);
      return cause !== null && statusFor(cause.code) === 'timedOut';
    },
    causeIsCancel: ({ context }) => context.cause?.code === 'CANCELLED',
  },
});

/** The chart, entered where an execution without (`queued`) or with (`waiting`) a start time begins. */
function createChart(first: 'queued' | 'waiting') {
  return executionSetup.createMachine({
    id: 'execution',
    context: ({ input }) => ({
      executionId: input.executionId,
      attempt: 0,
      totalMs: input.totalMs,
      totalDeadline: input.now + input.totalMs,
      queueMs: input.queueMs ?? null,
      attemptMs: input.attemptMs ?? null,
      graceMs: input.graceMs,
      retry: input.retry,
      startAt: input.startAt ?? null,
      queueDeadline:
        input.startAt === undefined && input.queueMs !== undefined ? input.now + input.queueMs : null,
      attemptDeadline: null,
      retryAt: null,
      stopDeadline: null,
      stoppingSince: null,
      cause: null,
      outcome: null,
    }),
    initial: 'pending',
    states: {
      pending: {
        initial: first,
        on: {
          cancel: { target: 'cancelled', actions: 'endByCause' },
          interrupt: { target: 'failed', actions: 'endByCause' },
        },
        states: {
          waiting: {
            entry: {
              type: 'armAlarm',
              params: ({ context }) => ({ at: nearest(context.startAt, context.totalDeadline) }),
            },
            on: {
              alarm: [
                { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
                { guard: 'startIsDue', target: 'queued', actions: 'enterQueue' },
              ],
            },
          },
          queued: {
            entry: [
              {
                type: 'armAlarm',
                params: ({ context }) => ({ at: nearest(context.queueDeadline, context.totalDeadline) }),
              },
              'requestSlot',
            ],
            on: {
              dispatch: { target: '#execution.running', actions: 'beginAttempt' },
              alarm: { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
            },
          },
        },
      },
      running: {
        initial: 'attempting',
        states: {
          attempting: {
            entry: [
              {
                type: 'armAlarm',
                params: ({ context }) => ({ at: nearest(context.attemptDeadline, context.totalDeadline) }),
              },
              'startAttempt',
            ],
            on: {
              attemptEnded: [
                {
                  guard: 'completed',
                  target: '#execution.completed',
                  actions: ['endByAttempt', 'releaseSlot'],
                },
                { guard: 'canRetry', target: 'backingOff', actions: ['beginBackoff', 'releaseSlot'] },
                { target: '#execution.failed', actions: ['endByAttempt', 'releaseSlot'] },
              ],
              alarm: { guard: 'deadlinePassed', target: 'stopping', actions: 'beginStopping' },
              cancel: { target: 'stopping', actions: 'beginStopping' },
              limit: { target: 'stopping', actions: 'beginStopping' },
              interrupt: { target: 'stopping', actions: 'beginStopping' },
            },
          },
          backingOff: {
            entry: {
              type: 'armAlarm',
              params: ({ context }) => ({ at: nearest(context.retryAt, context.totalDeadline) }),
            },
            on: {
              dispatch: { target: 'attempting', actions: 'beginAttempt' },
              alarm: [
                { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
                {
                  guard: 'retryDue',
                  actions: [
                    'retryIsDue',
                    { type: 'armAlarm', params: ({ context }) => ({ at: context.totalDeadline }) },
                    'requestSlot',
                  ],
                },
              ],
              cancel: { target: '#execution.cancelled', actions: 'endByCause' },
              interrupt: { target: '#execution.failed', actions: 'endByCause' },
            },
          },
          stopping: {
            entry: [
              {
                type: 'armAlarm',
                params: ({ context }) => ({ at: nearest(context.stopDeadline, context.totalDeadline) }),
              },
              'stopAttempt',
            ],
            on: {
              attemptEnded: [
                {
                  guard: 'canRetryAfterStop',
                  target: 'backingOff',
                  actions: ['beginBackoff', 'releaseSlot'],
                },
                {
                  guard: 'causeIsTimeout',
                  target: '#execution.timedOut',
                  actions: ['endByStop', 'releaseSlot'],
                },
                {
                  guard: 'causeIsCancel',
                  target: '#execution.cancelled',
                  actions: ['endByStop', 'releaseSlot'],
                },
                { target: '#execution.failed', actions: ['endByStop', 'releaseSlot'] },
              ],
              alarm: [
                {
                  guard: 'graceIsOver',
                  target: '#execution.failed',
                  actions: ['endUnconfirmed', 'releaseSlot'],
                },
                {
                  guard: 'wouldHaveRetried',
                  actions: [
                    'replaceCause',
                    {
                      type: 'armAlarm',
                      params: ({ context }) => ({ at: context.stopDeadline ?? context.totalDeadline }),
                    },
                  ],
                },
                {
                  actions: {
                    type: 'armAlarm',
                    params: ({ context }) => ({ at: context.stopDeadline ?? context.totalDeadline }),
                  },
                },
              ],
              cancel: { guard: 'wouldHaveRetried', actions: 'replaceCause' },
              interrupt: { guard: 'wouldHaveRetried', actions: 'replaceCause' },
              limit: { guard: 'wouldHaveRetried', actions: 'replaceCause' },
            },
          },
        },
      },
      completed: { type: 'final' },
      failed: { type: 'final' },
      timedOut: { type: 'final' },
      cancelled: { type: 'final' },
    },
  });
}

/**
 * Two entrances to one chart rather than a transient state: a microstep costs about as much as everything else that
 * an admission does.
 */
export const executionMachine = createChart('queued');
export const delayedExecutionMachine = createChart('waiting');

/** The entrance for an execution. */
export function machineFor(input: ExecutionInput): typeof executionMachine {
  return input.startAt === undefined ? executionMachine : delayedExecutionMachine;
}

export type ExecutionSnapshot = SnapshotFrom<typeof executionMachine>;

/** The path of a snapshot's innermost state, such as `running.backingOff`. */
export function statePath(snapshot: ExecutionSnapshot): string {
  const value = snapshot.value;
  if (typeof value === 'string') return value;
  for (const [parent, child] of Object.entries(value)) return `${parent}.${String(child)}`;
  return '';
}
