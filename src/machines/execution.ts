/**
 * The life of one execution. Pure: time comes in with events, effects go out as named actions that the
 * supervisor provides.
 *
 * pending.blocked
 *        ↓         ↘
 * pending.waiting → pending.queued → running.attempting ⇄ running.backingOff
 *        ↘            ↙                    ↓        ↘          ↙
 *         pending.held              running.stopping → running.suspended
 *                                          ↓
 *                           completed | failed | timedOut | cancelled
 *
 * - What waits for what it depends on (`blocked`) has its total timeout alone; its start time and its queue timeout
 *   count from there on as for any other.
 * - One alarm stands at the nearest deadline of the current state; a tie goes to the total timeout.
 * - The first cause of an ending wins. What would be retried is not an ending: a cancel or the total
 *   timeout that comes while such an attempt is being stopped replaces the cause.
 * - A final state is entered from `stopping` only when the attempt is gone, or when its grace and the time that
 *   its forced end may take are over (I9).
 * - What is held keeps its deadlines as they were, and they move when it goes on, each as its policy says (I7).
 * - A lost attempt is no try: it counts against `maxRecoveries` alone. One that is followed again by the next run of
 *   the node goes on as it was, and the log says that it does.
 */
import type { SnapshotFrom } from 'xstate';
import type { ExecutionContext, ExecutionInput } from './execution-context.ts';
import { executionSetup } from './execution-setup.ts';
import { alarmOf, totalDeadlineOf, totalOf } from './timers.ts';

/** Raised with every change of states, events or context that a stored log would notice; see `migrations.ts`. */
export const executionChartVersion = 3;

type Alarmed = keyof typeof alarmOf;

/** The entry action of a state that stands under an alarm. */
const alarm = (state: Alarmed) => ({
  type: 'armAlarm' as const,
  params: ({ context }: { readonly context: ExecutionContext }) => ({ at: alarmOf[state](context) }),
});

/** How the end of an attempt is taken that nobody stopped. */
const attemptOver = [
  { guard: 'completed', target: '#execution.completed', actions: ['endByAttempt', 'releaseSlot'] },
  { guard: 'isHeldByBudget', target: '#execution.running.suspended', actions: ['holdRetry', 'releaseSlot'] },
  { guard: 'canRetry', target: '#execution.running.backingOff', actions: ['beginBackoff', 'releaseSlot'] },
  { target: '#execution.failed', actions: ['endByAttempt', 'releaseSlot'] },
] as const;

/** What an execution knows when it begins. */
export function firstContext(input: ExecutionInput): ExecutionContext {
  return {
    executionId: input.executionId,
    options: {
      totalMs: input.totalMs,
      totalFrom: input.totalFrom ?? null,
      queueMs: input.queueMs ?? null,
      attemptMs: input.attemptMs ?? null,
      graceMs: input.graceMs,
      startMs: input.startAt === undefined ? null : input.startAt - input.now,
      retry: input.retry,
      recovery: input.recovery,
      timers: input.timers ?? null,
    },
    attempt: 0,
    totalDeadline: totalDeadlineOf(input),
    lost: 0,
    recoveries: 0,
    startAt: input.startAt ?? null,
    queueDeadline:
      input.startAt === undefined && input.isBlocked === undefined && input.queueMs !== undefined
        ? input.now + input.queueMs
        : null,
    attemptDeadline: null,
    retryAt: null,
    stopDeadline: null,
    stoppingSince: null,
    heldSince: null,
    blockedSince: input.isBlocked === undefined ? null : input.now,
    pausedAttempt: null,
    cause: null,
    outcome: null,
  };
}

/** The path of the state in which it begins. */
export function firstState(input: ExecutionInput): 'pending.blocked' | 'pending.waiting' | 'pending.queued' {
  if (input.isBlocked !== undefined) return 'pending.blocked';
  return input.startAt === undefined ? 'pending.queued' : 'pending.waiting';
}

/** The chart, entered where an execution begins: with dependencies that have not ended, with a start time, or without. */
function createChart(first: 'queued' | 'waiting' | 'blocked') {
  return executionSetup.createMachine({
    id: 'execution',
    context: ({ input }) => firstContext(input),
    initial: 'pending',
    states: {
      pending: {
        initial: first,
        on: {
          cancel: { target: 'cancelled', actions: 'endByCause' },
          detach: { target: 'failed', actions: 'endByCause' },
          unblocked: { guard: 'dependencyFailed', target: 'failed', actions: 'endByCause' },
        },
        states: {
          blocked: {
            entry: alarm('pending.blocked'),
            on: {
              unblocked: [
                { guard: 'mayWaitForStart', target: 'waiting', actions: 'unblock' },
                { guard: 'mayGoOn', target: 'queued', actions: 'enterQueue' },
              ],
              alarm: { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
              suspend: { target: 'held', actions: 'beginHold' },
            },
          },
          waiting: {
            entry: alarm('pending.waiting'),
            on: {
              alarm: [
                { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
                { guard: 'startIsDue', target: 'queued', actions: 'enterQueue' },
              ],
              suspend: { target: 'held', actions: 'beginHold' },
              restored: [
                { guard: 'toBeHeld', target: 'held', actions: 'beginHold' },
                { target: 'waiting', reenter: true, actions: 'restoreTimers' },
              ],
            },
          },
          queued: {
            entry: [alarm('pending.queued'), 'requestSlot'],
            on: {
              dispatch: { target: '#execution.running', actions: ['beginAttempt', 'startAttempt'] },
              cached: { target: '#execution.completed', actions: ['endByCache', 'releaseSlot'] },
              alarm: { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
              suspend: { target: 'held', actions: ['beginHold', 'releaseSlot'] },
              restored: [
                { guard: 'toBeHeld', target: 'held', actions: ['beginHold', 'releaseSlot'] },
                { target: 'queued', reenter: true, actions: 'restoreTimers' },
              ],
            },
          },
          held: {
            entry: alarm('pending.held'),
            on: {
              alarm: { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
              unblocked: { guard: 'mayGoOn', actions: 'unblock' },
              resume: [
                { guard: 'isBlocked', target: 'blocked', actions: 'endHold' },
                { guard: 'startIsAhead', target: 'waiting', actions: 'endHold' },
                { target: 'queued', actions: 'endHold' },
              ],
            },
          },
        },
      },
      running: {
        initial: 'attempting',
        states: {
          attempting: {
            entry: alarm('running.attempting'),
            on: {
              attemptEnded: attemptOver,
              alarm: { guard: 'deadlinePassed', target: 'stopping', actions: 'beginStopping' },
              cancel: { target: 'stopping', actions: 'beginStopping' },
              limit: { target: 'stopping', actions: 'beginStopping' },
              detach: { target: 'stopping', actions: 'beginStopping' },
              paused: { target: 'suspended', actions: ['beginHold', 'pauseAttempt', 'releaseSlot'] },
              suspend: { guard: 'mayRerun', target: 'stopping', actions: ['beginHold', 'beginStopping'] },
              reattached: { actions: 'goOnAsIs' },
              lost: [
                {
                  guard: 'mayRecover',
                  target: 'backingOff',
                  actions: ['countLost', 'makeDue', 'releaseSlot'],
                },
                { target: '#execution.failed', actions: ['endByLoss', 'releaseSlot'] },
              ],
            },
          },
          backingOff: {
            entry: alarm('running.backingOff'),
            on: {
              dispatch: { target: 'attempting', actions: ['beginAttempt', 'startAttempt'] },
              alarm: [
                { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
                {
                  guard: 'retryDue',
                  actions: [
                    'retryIsDue',
                    { type: 'armAlarm', params: ({ context }) => ({ at: totalOf(context) }) },
                    'requestSlot',
                  ],
                },
              ],
              cancel: { target: '#execution.cancelled', actions: 'endByCause' },
              detach: { target: '#execution.failed', actions: 'endByCause' },
              suspend: { target: 'suspended', actions: ['beginHold', 'releaseSlot'] },
              restored: [
                { guard: 'toBeHeld', target: 'suspended', actions: ['beginHold', 'releaseSlot'] },
                { target: 'backingOff', reenter: true, actions: 'restoreTimers' },
              ],
            },
          },
          stopping: {
            entry: [alarm('running.stopping'), 'stopAttempt'],
            on: {
              attemptEnded: [
                {
                  guard: 'endedBeforeHold',
                  target: '#execution.completed',
                  actions: ['endByAttempt', 'releaseSlot'],
                },
                {
                  guard: 'resumedBeforeHold',
                  target: 'backingOff',
                  actions: ['countHeld', 'makeDue', 'releaseSlot'],
                },
                { guard: 'stopsToHold', target: 'suspended', actions: ['countHeld', 'releaseSlot'] },
                { guard: 'isHeldByBudget', target: 'suspended', actions: ['holdRetry', 'releaseSlot'] },
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
                  guard: 'mayStillGoOn',
                  actions: [
                    'replaceCause',
                    {
                      type: 'armAlarm',
                      params: ({ context }) => ({ at: context.stopDeadline ?? totalOf(context) }),
                    },
                  ],
                },
                {
                  actions: {
                    type: 'armAlarm',
                    params: ({ context }) => ({ at: context.stopDeadline ?? totalOf(context) }),
                  },
                },
              ],
              cancel: { guard: 'mayStillGoOn', actions: 'replaceCause' },
              limit: { guard: 'mayStillGoOn', actions: 'replaceCause' },
              detach: { guard: 'mayStillGoOn', actions: 'replaceCause' },
              resume: { guard: 'stopsToHold', actions: ['endHold', alarm('running.stopping')] },
              suspend: { guard: 'resumedBeforeHold', actions: ['beginHold', alarm('running.stopping')] },
            },
          },
          suspended: {
            entry: alarm('running.suspended'),
            on: {
              attemptEnded: [
                { guard: 'completed', target: '#execution.completed', actions: 'endByAttempt' },
                { guard: 'canRetry', actions: 'dropAttempt' },
                { target: '#execution.failed', actions: 'endByAttempt' },
              ],
              resume: [
                {
                  guard: 'hasAttempt',
                  target: 'attempting',
                  actions: ['endHold', 'unpauseAttempt', 'takeSlot'],
                },
                { target: 'backingOff', actions: ['endHold', 'makeDue'] },
              ],
              reattached: { guard: 'hasAttempt', actions: 'goOnAsIs' },
              lost: [
                { guard: 'mayRecover', actions: 'countLost' },
                { target: '#execution.failed', actions: 'endByLoss' },
              ],
              alarm: [
                { guard: 'attemptIsOverdue', target: 'stopping', actions: ['beginStopping', 'takeSlot'] },
                { guard: 'deadlinePassed', target: '#execution.timedOut', actions: 'endByCause' },
              ],
              limit: { guard: 'hasAttempt', target: 'stopping', actions: ['beginStopping', 'takeSlot'] },
              cancel: [
                { guard: 'hasAttempt', target: 'stopping', actions: ['beginStopping', 'takeSlot'] },
                { target: '#execution.cancelled', actions: 'endByCause' },
              ],
              detach: [
                { guard: 'hasAttempt', target: 'stopping', actions: ['beginStopping', 'takeSlot'] },
                { target: '#execution.failed', actions: 'endByCause' },
              ],
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
 * Three entrances to one chart rather than a transient state: a microstep costs about as much as everything else that
 * an admission does.
 */
export const executionMachine = createChart('queued');
export const delayedExecutionMachine = createChart('waiting');
export const blockedExecutionMachine = createChart('blocked');

/** The entrance for an execution. */
export function machineFor(input: ExecutionInput): typeof executionMachine {
  if (input.isBlocked !== undefined) return blockedExecutionMachine;
  return input.startAt === undefined ? executionMachine : delayedExecutionMachine;
}

export type ExecutionSnapshot = SnapshotFrom<typeof executionMachine>;

/** Of state values, which the snapshots of a compiled chart share: they are asked for a dozen times a call. */
const paths = new WeakMap<object, string>();

/** The path of a snapshot's innermost state, such as `running.backingOff`. */
export function statePath({ value }: ExecutionSnapshot): string {
  if (typeof value === 'string') return value;
  let path = paths.get(value);
  if (path === undefined) {
    const [[parent, child] = ['', '']] = Object.entries(value);
    path = `${parent}.${String(child)}`;
    paths.set(value, path);
  }
  return path;
}
