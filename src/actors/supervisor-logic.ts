/**
 * The supervisor of executions as custom actor logic: it spawns one execution actor per accepted invocation,
 * passes it events, writes down what changed, and performs the effects that its chart asked for.
 *
 * - A machine with spawned children copies its children map at each spawn, which grows with the number of
 *   live executions; this keeps a Map of its own, so that every step is O(1).
 * - One event is handled at a time (the actor's mailbox); effects run after the change is in the log, so that
 *   no output can come before the transition that started it.
 * - At most one live actor per execution id (I1).
 */
import { type ActorLogic, type ActorRefFrom, type ActorScope, createActor, type Snapshot } from 'xstate';
import type { Clock } from '../domain/clock.ts';
import {
  delayedExecutionMachine,
  type ExecutionSnapshot,
  executionMachine,
  machineFor,
  statePath,
} from '../machines/execution.ts';
import type { ExecutionEvent, ExecutionInput } from '../machines/execution-context.ts';
import { alarmOf } from '../machines/timers.ts';
import type { Alarms } from './alarms.ts';
import type { LiveLog } from './live-log.ts';
import { recordAdmission, recordChange, recordFailure, type Stopwatch } from './recorder.ts';
import type { Slots } from './slots.ts';

/** One live execution, as its supervisor knows it. */
export interface Child {
  readonly log: LiveLog;
  /** What its chart begins with; a snapshot is of one that goes on. */
  readonly input?: ExecutionInput;
  /** Its first attempt may start before the admission is durable, as nothing outside can notice. */
  readonly speculative: boolean;
  /** Somebody waits for the first events as they come. */
  readonly watched: boolean;
  readonly stopwatch: Stopwatch;
  /** Counts against the queue limit. */
  pending: boolean;
  actor?: ActorRefFrom<typeof executionMachine>;
  snapshot?: ExecutionSnapshot;
  /** The snapshot that the log's last transition brought it to; a patch is over this. */
  written?: ExecutionSnapshot;
}

export type SupervisorEvent =
  | { readonly type: 'spawn'; readonly child: Child }
  /** Take up one that the store has, at its snapshot, and let `then` come to it before anything else can. */
  | { readonly type: 'revive'; readonly child: Child; readonly then: readonly ExecutionEvent[] }
  | { readonly type: 'deliver'; readonly executionId: string; readonly event: ExecutionEvent }
  /** The admission is durable: it may wait for a slot now. */
  | { readonly type: 'admitted'; readonly executionId: string }
  /** Forget an execution: its end is durable, or its admission never will be. */
  | { readonly type: 'reap'; readonly executionId: string }
  /** The attempt of a forgotten execution has ended, and with it its hold on a slot. */
  | { readonly type: 'gone'; readonly executionId: string }
  /** There may be a free slot for those who wait. */
  | { readonly type: 'pump' };

type Scope = ActorScope<SupervisorSnapshot, SupervisorEvent>;

export type SupervisorSnapshot = Snapshot<undefined> & {
  readonly status: 'active';
  readonly children: ReadonlyMap<string, Child>;
};

/** What the logic needs done. None of these may send to the supervisor before it returns, but through its mailbox. */
export interface SupervisorEffects {
  startAttempt(child: Child, attempt: number): void;
  stopAttempt(child: Child): void;
  /** False holds back new attempts: the store is behind or failing. */
  mayDispatch(): boolean;
  /** A breakpoint holds it before that state, or as soon as it is there. */
  holds(child: Child, state: string): boolean;
  /** An execution is no longer pending: it runs, has ended, or is forgotten. Called once for each. */
  leftPending(child: Child): void;
  /** The chart threw: a bug of ours. */
  chartFailed(child: Child, error: unknown): void;
}

type Effect = 'requestSlot' | 'startAttempt' | 'stopAttempt';

/** The states in which an attempt runs. */
const withSlot: readonly string[] = ['running.attempting', 'running.stopping'];

export function createSupervisorLogic(
  { clock, steady }: { readonly clock: Clock; readonly steady: Clock },
  alarms: Alarms,
  slots: Slots,
  effects: SupervisorEffects,
): ActorLogic<SupervisorSnapshot, SupervisorEvent> {
  let wanted: Effect[] = [];
  // Once, not for each execution: it builds the machine anew.
  const provided = (machine: typeof executionMachine) =>
    machine.provide({
      actions: {
        armAlarm: ({ context }, { at }) => alarms.set(context.executionId, at),
        releaseSlot: ({ context }) => slots.release(context.executionId),
        takeSlot: ({ context }) => slots.hold(context.executionId),
        requestSlot: () => void wanted.push('requestSlot'),
        startAttempt: () => void wanted.push('startAttempt'),
        stopAttempt: () => void wanted.push('stopAttempt'),
      },
    });
  const machines = new Map(
    [executionMachine, delayedExecutionMachine].map((machine) => [machine, provided(machine)]),
  );

  const perform = (child: Child, snapshot: ExecutionSnapshot): void => {
    if (wanted.length === 0) return;
    const now = wanted;
    wanted = [];
    for (const effect of now) {
      if (effect === 'startAttempt') effects.startAttempt(child, snapshot.context.attempt);
      else if (effect === 'stopAttempt') effects.stopAttempt(child);
      else if (child.speculative || child.log.committed !== undefined) {
        slots.request(child.log.executionId, snapshot.context.attempt > 0);
      }
    }
  };

  const leavePending = (child: Child): void => {
    if (!child.pending) return;
    child.pending = false;
    effects.leftPending(child);
  };

  /** One that was revived has no actor before something happens to it: most that wait are many. */
  const actorOf = (child: Child, scope: Scope): ActorRefFrom<typeof executionMachine> | undefined => {
    if (child.actor === undefined && child.snapshot !== undefined) {
      start(child, scope, { snapshot: child.snapshot });
    }
    return child.actor;
  };

  const start = (
    child: Child,
    scope: Scope,
    from: { readonly input: ExecutionInput } | { readonly snapshot: ExecutionSnapshot },
  ): void => {
    const base = { id: child.log.executionId, parent: scope.self };
    const actor =
      'input' in from
        ? createActor(machines.get(machineFor(from.input)) ?? executionMachine, {
            ...base,
            input: from.input,
          })
        : createActor(machines.get(executionMachine) ?? executionMachine, { ...base, ...unread, ...from });
    child.actor = actor;
    // An actor without an error observer throws into the process.
    actor.subscribe({ error: ignoreHere });
    actor.start();
  };

  const held = (): ExecutionEvent => ({ type: 'suspend', at: Math.round(steady.now()), byBreakpoint: true });

  const deliver = (child: Child, asked: ExecutionEvent, scope: Scope): void => {
    const { snapshot: before, log } = child;
    if (before === undefined || log.sealed) return;
    const actor = actorOf(child, scope);
    if (actor === undefined) return;
    const event = asked.type === 'dispatch' && effects.holds(child, 'running.attempting') ? held() : asked;
    actor.send(event);
    const after = actor.getSnapshot();
    if (after === before) return;
    child.snapshot = after;
    const now = { wall: clock.now(), monotonic: clock.monotonic() };
    if (after.status === 'error') {
      effects.chartFailed(child, after.error);
      recordFailure(log, 'the state machine failed; the log of the node says how', child.stopwatch, now);
    } else {
      const last = log.record.lastSequence;
      recordChange(
        log,
        before,
        after,
        event,
        child.stopwatch,
        now,
        child.watched || !child.speculative,
        child.written ?? before,
      );
      if (log.record.lastSequence > last) child.written = after;
    }
    if (child.pending && !after.matches('pending')) leavePending(child);
    perform(child, after);
    if (log.sealed) {
      alarms.clear(log.executionId);
      slots.release(log.executionId);
    } else if (arrives(event, before, after) && effects.holds(child, statePath(after))) {
      deliver(child, held(), scope);
    }
  };

  const revive = (child: Child): void => {
    const { snapshot, log } = child;
    if (snapshot === undefined) return;
    const path = statePath(snapshot);
    child.written = snapshot;
    if (path in alarmOf) {
      alarms.set(log.executionId, alarmOf[path as keyof typeof alarmOf](snapshot.context));
    }
    if (path === 'pending.queued') slots.request(log.executionId, false);
    else if (withSlot.includes(path)) slots.hold(log.executionId);
  };

  /**
   * A deadline that passed while nobody watched rings before a slot can come. That of an attempt waits for its alarm,
   * as who can end the attempt is told of it only after this.
   */
  const ringDue = (child: Child, scope: Scope): void => {
    const { snapshot, log } = child;
    if (snapshot === undefined || log.sealed) return;
    const path = statePath(snapshot);
    if (!(path in alarmOf) || withSlot.includes(path) || snapshot.context.pausedAttempt !== null) return;
    const at = Math.round(steady.now());
    if (alarmOf[path as keyof typeof alarmOf](snapshot.context) <= at) {
      deliver(child, { type: 'alarm', at }, scope);
    }
  };

  const pump = (children: ReadonlyMap<string, Child>, scope: Scope): void => {
    while (effects.mayDispatch()) {
      const next = slots.take();
      if (next === undefined) return;
      const child = children.get(next);
      if (child === undefined) slots.release(next);
      else deliver(child, { type: 'dispatch', at: Math.round(steady.now()) }, scope);
    }
  };

  return {
    getInitialSnapshot: () => ({
      status: 'active',
      output: undefined,
      error: undefined,
      children: new Map<string, Child>(),
    }),
    getPersistedSnapshot: (snapshot) => snapshot,
    transition(state, event, scope) {
      const children = state.children as Map<string, Child>;
      switch (event.type) {
        case 'spawn': {
          const { child } = event;
          if (child.input === undefined) break;
          children.set(child.log.executionId, child);
          start(child, scope, { input: child.input });
          const snapshot = (child.actor as ActorRefFrom<typeof executionMachine>).getSnapshot();
          child.snapshot = snapshot;
          child.written = snapshot;
          recordAdmission(child.log, snapshot, child.watched || !child.speculative);
          perform(child, snapshot);
          if (effects.holds(child, statePath(snapshot))) deliver(child, held(), scope);
          break;
        }
        case 'revive':
          children.set(event.child.log.executionId, event.child);
          revive(event.child);
          for (const next of event.then) deliver(event.child, next, scope);
          ringDue(event.child, scope);
          break;
        case 'deliver': {
          const child = children.get(event.executionId);
          if (child !== undefined) deliver(child, event.event, scope);
          break;
        }
        case 'admitted': {
          const child = children.get(event.executionId);
          if (child?.snapshot?.matches({ pending: 'queued' })) slots.request(event.executionId, false);
          break;
        }
        case 'reap': {
          const child = children.get(event.executionId);
          children.delete(event.executionId);
          alarms.clear(event.executionId);
          if (child === undefined) break;
          leavePending(child);
          if (child.log.complete) break;
          // An attempt that was started ahead of a refused admission keeps its slot until it is gone.
          if (child.snapshot?.matches({ running: 'attempting' })) effects.stopAttempt(child);
          else slots.release(event.executionId);
          if (child.actor !== undefined) scope.stopChild(child.actor);
          break;
        }
        case 'gone':
          slots.release(event.executionId);
          break;
        case 'pump':
          break;
        default:
          // What XState relays of a child's end: it was seen in `deliver` already.
          return state;
      }
      pump(children, scope);
      return state;
    },
  };
}

/** It has come to a state by itself, to wait there: nobody asked for it to go on. */
function arrives(event: ExecutionEvent, before: ExecutionSnapshot, after: ExecutionSnapshot): boolean {
  if (event.type !== 'alarm' && event.type !== 'attemptEnded') return false;
  return (
    (after.matches({ pending: 'queued' }) && !before.matches({ pending: 'queued' })) ||
    (after.matches({ running: 'backingOff' }) && !before.matches({ running: 'backingOff' }))
  );
}

/** A snapshot brings its context: the input, which the types ask for, is never looked at. */
const unread = { input: {} as ExecutionInput };

/** The error is read from the snapshot in the same turn. */
const ignoreHere = (_error: unknown): void => {};
