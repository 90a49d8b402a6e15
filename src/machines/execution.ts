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
 * - A final state is entered from `stopping` only when the attempt is gone, or its grace is over (I9).
 */
import { assign, type SnapshotFrom, setup } from 'xstate';
import type { ErrorCode } from '../domain/errors.ts';
import type { Outcome, Termination } from '../domain/execution.ts';
import { backoffMs, isRetryable } from '../domain/retry.ts';
import type { RetryPolicy } from '../domain/task.ts';

/** Raised with every change of states, events or context that a stored snapshot or log would notice. */
export const executionChartVersion = 1;

export interface ExecutionInput {
  readonly executionId: string;
  /** Wall clock now, milliseconds since the epoch, as are all instants here. */
  readonly now: number;
  readonly startAt?: number;
  readonly totalMs: number;
  readonly queueMs?: number;
  readonly attemptMs?: number;
  readonly graceMs: number;
  readonly retry: RetryPolicy;
}

/** Why a running attempt is being stopped, or why the execution ended without one. */
export interface Cause {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface ExecutionContext {
  readonly executionId: string;
  readonly attempt: number;
  readonly totalMs: number;
  readonly totalDeadline: number;
  readonly queueMs: number | null;
  readonly attemptMs: number | null;
  readonly graceMs: number;
  readonly retry: RetryPolicy;
  readonly startAt: number | null;
  readonly queueDeadline: number | null;
  readonly attemptDeadline: number | null;
  readonly retryAt: number | null;
  readonly stopDeadline: number | null;
  readonly stoppingSince: number | null;
  readonly cause: Cause | null;
  readonly outcome: Outcome | null;
}

/** How an attempt ended, as far as the chart cares. */
export type AttemptEnd =
  | { readonly kind: 'completed'; readonly exitCode?: number; readonly output?: string }
  | {
      readonly kind: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly exitCode?: number;
      readonly output?: string;
    }
  | { readonly kind: 'stopped'; readonly rung: string };

/** `at` is the wall clock when it happened; `random` (0 to 1) spreads retries. */
export type ExecutionEvent =
  | { readonly type: 'dispatch'; readonly at: number }
  | { readonly type: 'alarm'; readonly at: number }
  | { readonly type: 'attemptEnded'; readonly at: number; readonly end: AttemptEnd; readonly random: number }
  | { readonly type: 'limit'; readonly at: number; readonly cause: Cause }
  | { readonly type: 'cancel'; readonly at: number; readonly reason: string }
  | { readonly type: 'interrupt'; readonly at: number; readonly message: string };

const unimplemented = (): void => {};

/** The nearest of several instants, some of which may not be set. */
function nearest(...instants: (number | null)[]): number {
  return instants.reduce<number>(
    (least, at) => (at !== null && at < least ? at : least),
    Number.POSITIVE_INFINITY,
  );
}

/** Ends of the whole execution: no policy brings back what a caller, the node or a limit of the execution ended. */
const neverRetried: readonly ErrorCode[] = [
  'CANCELLED',
  'INTERRUPTED',
  'OUTPUT_LIMIT',
  'TOTAL_TIMEOUT',
  'QUEUE_TIMEOUT',
];

function willRetry(context: ExecutionContext, code: ErrorCode): boolean {
  return (
    !neverRetried.includes(code) &&
    context.attempt < context.retry.maxAttempts &&
    isRetryable(context.retry, code)
  );
}

/** A retry whose delay would outlast the total deadline is not made: its error says more than a timeout would. */
function retryTime(context: ExecutionContext, code: ErrorCode, at: number, random: number): number | null {
  if (!willRetry(context, code)) return null;
  const due = at + backoffMs(context.retry, context.attempt, random);
  return due < context.totalDeadline ? due : null;
}

function statusFor(code: ErrorCode): 'failed' | 'timedOut' | 'cancelled' {
  if (code === 'CANCELLED') return 'cancelled';
  return code === 'QUEUE_TIMEOUT' || code === 'ATTEMPT_TIMEOUT' || code === 'TOTAL_TIMEOUT'
    ? 'timedOut'
    : 'failed';
}

/** The cause an event brings, or null where it brings none. */
function causeOf(context: ExecutionContext, event: ExecutionEvent): Cause | null {
  switch (event.type) {
    case 'cancel':
      return { code: 'CANCELLED', message: event.reason === '' ? 'cancelled' : `cancelled: ${event.reason}` };
    case 'interrupt':
      return { code: 'INTERRUPTED', message: event.message };
    case 'limit':
      return event.cause;
    case 'alarm':
      if (event.at >= context.totalDeadline) {
        return {
          code: 'TOTAL_TIMEOUT',
          message: `not over within the total timeout of ${context.totalMs} ms`,
        };
      }
      if (context.queueDeadline !== null && event.at >= context.queueDeadline) {
        return {
          code: 'QUEUE_TIMEOUT',
          message: `not started within the queue timeout of ${context.queueMs} ms`,
        };
      }
      if (context.attemptDeadline !== null && event.at >= context.attemptDeadline) {
        return {
          code: 'ATTEMPT_TIMEOUT',
          message: `attempt ${context.attempt} was not over within the attempt timeout of ${context.attemptMs} ms`,
        };
      }
      return null;
    default:
      return null;
  }
}

function outcomeOf(cause: Cause, termination?: Termination, end?: AttemptEnd): Outcome {
  const exitCode = end !== undefined && end.kind !== 'stopped' ? end.exitCode : undefined;
  const output = end?.kind === 'failed' ? end.output : undefined;
  return {
    status: statusFor(cause.code),
    code: cause.code,
    message: cause.message,
    ...(exitCode !== undefined && { exitCode }),
    ...(output !== undefined && { output }),
    ...(termination !== undefined && { termination }),
  };
}

function endOutcome(end: AttemptEnd): Outcome {
  switch (end.kind) {
    case 'completed':
      return {
        status: 'completed',
        ...(end.exitCode !== undefined && { exitCode: end.exitCode }),
        ...(end.output !== undefined && { output: end.output }),
      };
    case 'failed':
      return outcomeOf(end, undefined, end);
    case 'stopped':
      return outcomeOf({ code: 'INSTANCE_LOST', message: 'the instance was stopped from outside' });
  }
}

export const executionMachine = setup({
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
      stopDeadline: event.at + context.graceMs,
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
        message: `the attempt could not be confirmed gone within ${context.graceMs} ms after ${context.cause?.code ?? 'the stop'}`,
      }),
    })),
  },
  guards: {
    hasNoStartDelay: ({ context }) => context.startAt === null,
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
}).createMachine({
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
      initial: 'waiting',
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
          always: { guard: 'hasNoStartDelay', target: 'queued' },
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
              { guard: 'canRetryAfterStop', target: 'backingOff', actions: ['beginBackoff', 'releaseSlot'] },
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

export type ExecutionSnapshot = SnapshotFrom<typeof executionMachine>;

/** The path of a snapshot's innermost state, such as `running.backingOff`. */
export function statePath(snapshot: ExecutionSnapshot): string {
  const value = snapshot.value;
  if (typeof value === 'string') return value;
  for (const [parent, child] of Object.entries(value)) return `${parent}.${String(child)}`;
  return '';
}
