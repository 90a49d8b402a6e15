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
import type { ActorLogic, ActorScope, Snapshot } from 'xstate';
import type { Clock } from '../../domain/clock.ts';
import { type ExecutionSnapshot, statePath } from '../../machines/execution.ts';
import type { ExecutionEvent } from '../../machines/execution-context.ts';
import { alarmOf } from '../../machines/timers.ts';
import { recordAdmission, recordChange, recordFailure, recordShift } from '../log/recorder.ts';
import type { Slots } from '../queue/slots.ts';
import type { NodeTime } from '../time/node-time.ts';
import type { Alarms } from './alarms.ts';
import type { Child } from './child.ts';
import { ChildActors } from './child-actors.ts';

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

/** The states in which an attempt runs. */
const withSlot: readonly string[] = ['running.attempting', 'running.stopping'];

export function createSupervisorLogic(
  { clock, time }: { readonly clock: Clock; readonly time: NodeTime },
  alarms: Alarms,
  slots: Slots,
  effects: SupervisorEffects,
): ActorLogic<SupervisorSnapshot, SupervisorEvent> {
  const actors = new ChildActors(alarms, slots);

  const perform = (child: Child, snapshot: ExecutionSnapshot): void => {
    for (const effect of actors.takeWanted()) {
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

  const held = (): ExecutionEvent => ({ type: 'suspend', at: Math.round(time.now()), byBreakpoint: true });

  const deliver = (child: Child, asked: ExecutionEvent, scope: Scope): void => {
    const { snapshot: before, log } = child;
    if (before === undefined || log.sealed) return;
    const actor = actors.of(child, scope.self);
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
    const { snapshot, log, written } = child;
    if (snapshot === undefined) return;
    const path = statePath(snapshot);
    // The log has to lead to what it goes on from, whatever comes next.
    if (written !== undefined && written !== snapshot) recordShift(log, written, snapshot);
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
    const at = Math.round(time.now());
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
      else deliver(child, { type: 'dispatch', at: Math.round(time.now()) }, scope);
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
          const snapshot = actors.of(child, scope.self)?.getSnapshot();
          if (snapshot === undefined) break;
          children.set(child.log.executionId, child);
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
